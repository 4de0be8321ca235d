import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createMirror } from '../src/evaluator/git/mirror.ts'
import { createNix } from '../src/evaluator/nix/nix.ts'
import type { EvaluationResult, FlakeSource } from '../src/evaluator/nix/types.ts'
import { parseFlakeUrl } from '../src/fleet/flake-url.ts'
import type { Bench, Figure } from './figures.ts'
import { heavyFlake } from './heavy-flake.ts'
import { endedChildrenCpuSeconds } from './process-figures.ts'

const HOSTS = 100
const WORKERS = availableParallelism()
const MEMORY_BUDGET_BYTES = 2 * 2 ** 30
const NO_CREDENTIALS = { sshKey: null, knownHostsFile: null, netrc: null, accessTokens: null }

const run = promisify(execFile)

/**
 * A commit of a flake with 100 configurations by our part for Nix, against the plain way, one `nix eval` a configuration, as
 * many at a time as there are cores; and against that with the same heap to begin with, and read-only. Each way has a store
 * of its own, empty at first.
 */
export const benchEvaluation: Bench = async ({ say }) => {
  const directory = await mkdtemp(join(tmpdir(), 'crystal-forge-bench-'))
  try {
    const source = await commitFlake(directory)
    say(`${HOSTS} configurations, ${WORKERS} at a time`)
    const ours = await evaluateByUs(directory, source)
    say(`by us: ${ours.seconds.toFixed(1)} s`)
    const heap = String(MEMORY_BUDGET_BYTES / WORKERS / 2)
    const tuned = await evaluatePlainly(directory, source, {
      name: 'tuned',
      args: ['--read-only'],
      env: { GC_INITIAL_HEAP_SIZE: heap },
    })
    say(`one process a configuration, tuned: ${tuned.seconds.toFixed(1)} s`)
    const plain = await evaluatePlainly(directory, source, { name: 'plain', args: [], env: {} })
    say(`one process a configuration: ${plain.seconds.toFixed(1)} s`)
    for (const [name, path] of ours.paths) {
      if (tuned.paths.get(name) !== path || plain.paths.get(name) !== path) throw new Error(`${name} differs`)
    }
    return {
      'evaluation.speedup': ratio(plain.seconds, ours.seconds),
      'evaluation.speedup_tuned': ratio(tuned.seconds, ours.seconds),
      'evaluation.cpu_ratio_tuned': ratio(tuned.cpuSeconds, ours.cpuSeconds),
      'evaluation.cpu_ratio': ratio(plain.cpuSeconds, ours.cpuSeconds),
      'evaluation.seconds': seconds(ours.seconds),
      'evaluation.plain_seconds': seconds(plain.seconds),
      'evaluation.tuned_seconds': seconds(tuned.seconds),
      'evaluation.memory_share': ratio(ours.peakBytes * WORKERS, MEMORY_BUDGET_BYTES),
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const ratio = (over: number, under: number): Figure => ({
  value: Number((over / under).toFixed(2)),
  unit: '',
})
const seconds = (value: number): Figure => ({ value: Number(value.toFixed(1)), unit: 's' })

async function commitFlake(directory: string): Promise<FlakeSource> {
  const repository = join(directory, 'repository')
  await mkdir(repository)
  const git = (...args: string[]) => run('git', args, { cwd: repository })
  await git('init', '--quiet', '--initial-branch=main')
  for (const [name, text] of Object.entries(heavyFlake(HOSTS))) await writeFile(join(repository, name), text)
  await git('add', '--all')
  await git('-c', 'user.name=bench', '-c', 'user.email=bench', 'commit', '--quiet', '--message=heavy')
  const url = parseFlakeUrl(`git+file://${repository}`)
  const mirror = join(directory, 'mirror.git')
  const made = createMirror({ directory: mirror, url, credentials: NO_CREDENTIALS, timeoutMs: 60_000 })
  const { head: rev } = await made.fetch('main')
  return {
    remote: url.remote,
    mirror,
    ref: await made.keep(rev),
    rev,
    directory: null,
    submodules: false,
    allowImportFromDerivation: false,
  }
}

interface Measured {
  seconds: number
  /** Which other work on the machine changes less. */
  cpuSeconds: number
  /** Of each configuration. */
  paths: Map<string, string>
}

async function timed(evaluate: () => Promise<Map<string, string>>): Promise<Measured> {
  const begin = performance.now()
  const cpuBefore = await endedChildrenCpuSeconds()
  const paths = await evaluate()
  const cpuAfter = await endedChildrenCpuSeconds()
  if (paths.size !== HOSTS) throw new Error(`${paths.size} results instead of ${HOSTS}`)
  return { paths, seconds: (performance.now() - begin) / 1000, cpuSeconds: cpuAfter - cpuBefore }
}

/** Everything that a new commit costs: fetching it, listing, and evaluating. */
async function evaluateByUs(
  directory: string,
  source: FlakeSource,
): Promise<Measured & { peakBytes: number }> {
  const nix = createNix({
    stateDirectory: join(directory, 'state'),
    workers: WORKERS,
    memoryBudgetBytes: MEMORY_BUDGET_BYTES,
    timeoutMs: 600_000,
    environment: { PATH: process.env['PATH'], NIX_REMOTE: storeOf(directory, 'ours') },
  })
  const results: EvaluationResult[] = []
  const measured = await timed(async () => {
    const flake = await nix.fetchInputs(source, {})
    await nix.evaluate(flake, await nix.listConfigurations(flake, {}), {
      onResult: (result) => results.push(result),
    })
    return new Map(results.map((each) => [each.configuration, pathOf(each)]))
  })
  return { ...measured, peakBytes: Math.max(...results.map((each) => each.peakMemoryBytes)) }
}

function pathOf(result: EvaluationResult): string {
  if (result.status === 'succeeded') return result.drvPath
  throw new Error(`${result.configuration}: ${result.message}`)
}

interface Way {
  name: string
  args: readonly string[]
  env: Record<string, string>
}

async function evaluatePlainly(directory: string, source: FlakeSource, way: Way): Promise<Measured> {
  const home = join(directory, way.name)
  await mkdir(home)
  const env = { PATH: process.env['PATH'], HOME: home, NIX_REMOTE: storeOf(directory, way.name), ...way.env }
  const flake = `git+file://${source.mirror}?ref=${source.ref}&rev=${source.rev}`
  const waiting = Array.from({ length: HOSTS }, (_, index) => `host${index}`)
  const paths = new Map<string, string>()
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const attribute = `${flake}#nixosConfigurations.${name}.config.system.build.toplevel.drvPath`
      const flakes = ['--extra-experimental-features', 'nix-command flakes']
      const { stdout } = await run('nix', [...flakes, 'eval', '--raw', ...way.args, attribute], { env })
      paths.set(name, stdout)
    }
  }
  return timed(async () => {
    await Promise.all(Array.from({ length: WORKERS }, worker))
    return paths
  })
}

/** A store below the directory, which goes with it. */
const storeOf = (directory: string, name: string): string =>
  `local?root=${encodeURIComponent(join(directory, `store-${name}`)).replaceAll('%2F', '/')}`
