import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ConnectionOptions } from '../../src/store/database.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createTestRepository } from '../support/git-repository.ts'
import { processesWith } from '../support/processes-of.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { createTrackedFleet, flakeOf } from '../support/tracked-fleet.ts'
import { waitFor } from '../support/wait.ts'
import { type RunningProcess, startProcess } from './support/processes.ts'
import { createRandom } from './support/random.ts'
import { roundsOf, timeLimitMs } from './support/rounds.ts'

const rounds = roundsOf({ suite: 5, soak: 50 })
const EVALUATORS = 2
const HOSTS = 8
/** Pushed, known, running, with one result, with two … with all. */
const LAST_PHASE = 2 + HOSTS
/** A killed evaluator is missed after 15 s, and its job given to another within 10 more; a job can be hit twice. */
const RECOVERY_MS = 90_000

const SLOW = "toString (builtins.foldl' (sum: each: sum + each) 0 (builtins.genList (i: i) 1000000))"

test(
  'evaluators killed in any phase leave nothing stuck, undone or running',
  { timeout: timeLimitMs(rounds) + rounds * RECOVERY_MS },
  async () => {
    const random = createRandom('evaluators killed')
    const store = await createTestDatabase()
    onTestFinished(() => store.drop())
    const repository = await createTestRepository()
    const fleet = await createTrackedFleet(store, repository)
    const names = Array.from({ length: HOSTS }, (_, index) => `host${index}`)
    const push = (generation: number) =>
      repository.commit({
        'flake.nix': flakeOf(
          Object.fromEntries(names.map((name) => [name, `"${name} ${generation}" + ${SLOW}`])),
        ),
      })
    const directory = await temporaryDirectory()
    const configPath = join(directory, 'evaluator.toml')
    await writeFile(configPath, configuration(store.connection, join(directory, 'state')))
    const start = () => startProcess({ args: ['evaluator'], configPath })
    const evaluators = Array.from({ length: EVALUATORS }, start)
    onTestFinished(() => endAll(evaluators))

    let head = await push(0)
    for (let round = 1; round <= rounds; round++) {
      await phaseOf(store, head, random.integer(0, LAST_PHASE))
      const index = random.integer(0, EVALUATORS - 1)
      await evaluators[index]?.end('SIGKILL')
      evaluators[index] = start()
      head = await push(round)
    }
    const ended = await waitFor(() => endedCommit(fleet, head), {
      timeoutMs: RECOVERY_MS,
      what: 'the newest commit to be evaluated',
    })
    expect(ended).toMatchObject({ status: 'evaluated', configurations: names.length })
    const evaluations = await store.database.db
      .selectFrom('evaluations')
      .select('configuration')
      .where('commit_id', '=', ended.id)
      .where('status', '=', 'succeeded')
      .orderBy('configuration')
      .execute()
    expect(evaluations.map((row) => row.configuration)).toEqual(names)
    await waitFor(async () => (await openCommits(store.database.db)) === 0, {
      timeoutMs: RECOVERY_MS,
      what: 'every commit to have a state that stays',
    })
    await printFigures(store, rounds)
  },
)

async function printFigures({ database }: TestDatabase, done: number): Promise<void> {
  const counts = await database.db
    .selectFrom('commits')
    .select(['status', (of) => of.fn.countAll<number>().as('commits')])
    .groupBy('status')
    .orderBy('status')
    .execute()
  const texts = counts.map(({ status, commits }) => `${commits} commits ${status}`)
  process.stdout.write(`evaluators killed: ${done} rounds, ${texts.join(', ')}\n`)
}

/** Resolves when the commit has come so far, or further. */
async function phaseOf({ database }: TestDatabase, sha: string, phase: number): Promise<void> {
  const reached = async (): Promise<boolean> => {
    const commit = await database.db
      .selectFrom('commits')
      .leftJoin('evaluations', 'evaluations.commit_id', 'commits.id')
      .select(['commits.status', (of) => of.fn.count<number>('evaluations.id').as('results')])
      .where('sha', '=', sha)
      .groupBy('commits.id')
      .executeTakeFirst()
    if (commit === undefined) return phase === 0
    const isBegun = !['new', 'queued'].includes(commit.status)
    return phase <= 1 || (isBegun && commit.results >= phase - 2)
  }
  await waitFor(reached, { timeoutMs: RECOVERY_MS, what: `phase ${phase} of ${sha}` })
}

/** 10^12 additions, in little memory. */
const ENDLESS =
  "let many = builtins.genList (i: i) 1000000; in toString (builtins.foldl' (a: _: builtins.foldl' (b: _: b + 1) a many) 0 many)"

test('what a killed evaluator had started is killed with it', { timeout: 60_000 }, async () => {
  const store = await createTestDatabase()
  onTestFinished(() => store.drop())
  const repository = await createTestRepository()
  await createTrackedFleet(store, repository)
  await repository.commit({ 'flake.nix': flakeOf({ endless: ENDLESS }) })
  const directory = await temporaryDirectory()
  const configPath = join(directory, 'evaluator.toml')
  await writeFile(configPath, configuration(store.connection, join(directory, 'state')))
  const evaluator = startProcess({ args: ['evaluator'], configPath })
  const evaluations = async () =>
    (await processesWith(directory)).filter(({ command }) => /\bnix eval\b/.test(command))
  await waitFor(async () => (await evaluations()).some(({ command }) => command.includes('endless')), {
    timeoutMs: 30_000,
    what: 'Nix to evaluate',
  })
  await evaluator.end('SIGKILL')
  await waitFor(async () => (await processesWith(directory)).length === 0, { what: 'Nix to be gone' })
})

const endedCommit = async (fleet: Awaited<ReturnType<typeof createTrackedFleet>>, sha: string) => {
  const commit = await fleet.commit(sha)
  return commit !== undefined && ['evaluated', 'failed'].includes(commit.status) ? commit : null
}

async function openCommits(db: Awaited<ReturnType<typeof createTestDatabase>>['database']['db']) {
  const rows = await db
    .selectFrom('commits')
    .select('id')
    .where('status', 'in', ['queued', 'running'])
    .execute()
  return rows.length
}

async function endAll(evaluators: readonly RunningProcess[]): Promise<void> {
  await Promise.all(evaluators.filter((each) => each.isRunning()).map((each) => each.end('SIGTERM')))
}

function configuration(connection: ConnectionOptions, stateDirectory: string): string {
  return `[database]
host = "${connection.host}"
port = ${connection.port}
user = "${connection.user}"
password = "${connection.password?.reveal() ?? ''}"
name = "${connection.name}"

[server]
state_dir = "${stateDirectory}"

[evaluator]
poll_interval = "1s"
`
}
