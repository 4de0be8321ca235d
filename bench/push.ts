import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createAdminToken } from '../src/cli/demo/admin-token.ts'
import { createDemoApi, type DemoApi } from '../src/cli/demo/api.ts'
import { announcePush } from '../src/cli/demo/push.ts'
import { until } from '../src/cli/demo/wait.ts'
import { freePort } from '../src/cli/demo/free-port.ts'
import { startProcess, type LogLine } from '../test/faults/support/processes.ts'
import { createTestAgent, newKey } from '../test/support/test-agent.ts'
import { type Bench, type Figures, percentile } from './figures.ts'

const HOSTS = Array.from({ length: 100 }, (_, index) => `host${String(index).padStart(3, '0')}`)
const PUSHES = 5
const SECRET = 'bench'
/** So many additions take Nix an eighth of a second: a NixOS with nothing in it takes several times that. */
const ADDITIONS = 400_000

/**
 * From a webhook to the drift of 100 hosts, each of which the push changes, in the API of a server with its evaluator, on
 * the embedded PostgreSQL with its default durability. `overhead_share` is all but the time in which Nix lists and
 * evaluates, over that time.
 */
export const benchPush: Bench = async ({ say }) => {
  const directory = await mkdtemp(join(tmpdir(), 'crystal-forge-bench-'))
  // PostgreSQL runs as another user when this is root
  await chmod(directory, 0o711)
  const repository = await createRepository(directory)
  const first = await repository.push('first')
  const keys = HOSTS.map((hostname) => ({ hostname, key: newKey() }))
  const port = await freePort()
  const configPath = await writeConfiguration(directory, { port, flake: repository.url, keys })
  const server = startProcess({ args: ['server'], configPath })
  try {
    await server.logged('the server is ready')
    const url = `http://127.0.0.1:${port}`
    const api = createDemoApi({ url, token: await createAdminToken(configPath) })
    await untilEvaluated(api, first)
    for (const { hostname, key } of keys) {
      const { drift } = await api.getSystem(hostname)
      const agent = createTestAgent({ url, authority: new URL(url).host }, { hostname, key })
      agent.state.fingerprint.software.hostname = hostname
      if (agent.state.system !== null) agent.state.system.current = drift?.desired_path ?? ''
      const { status, text } = await agent.report()
      if (status !== 200) throw new Error(`${hostname} could not report: ${status} ${text}`)
    }
    const pushes: Push[] = []
    for (let count = 1; count <= PUSHES; count += 1) {
      const commit = await repository.push(`push ${count}`)
      const sentAt = performance.now()
      await announcePush({ url, webhookSecret: SECRET }, repository, commit)
      await untilEvaluated(api, commit)
      const seconds = (performance.now() - sentAt) / 1000
      const { standing } = await api.getSummary()
      if (standing.behind !== HOSTS.length)
        throw new Error(`${standing.behind} of ${HOSTS.length} are behind`)
      const push = toPush(seconds, await logOf(server.lines, commit))
      say(`${seconds.toFixed(2)} s: ${JSON.stringify(push)}`)
      pushes.push(push)
    }
    return toFigures(pushes)
  } finally {
    await server.end('SIGTERM')
    await rm(directory, { recursive: true, force: true })
  }
}

interface Push {
  seconds: number
  nixSeconds: number
  fetchSeconds: number
  recordSeconds: number
}

function toPush(seconds: number, line: LogLine): Push {
  const secondsOf = (name: string): number => Number(line[name]) / 1000
  return {
    seconds,
    nixSeconds: secondsOf('listMs') + secondsOf('evaluateMs'),
    fetchSeconds: secondsOf('fetchMs'),
    recordSeconds: secondsOf('recordMs'),
  }
}

function toFigures(pushes: readonly Push[]): Figures {
  const median = (of: (push: Push) => number): number => Number(percentile(pushes.map(of), 50).toFixed(3))
  return {
    'push.seconds': { value: median((push) => push.seconds), unit: 's' },
    'push.nix_seconds': { value: median((push) => push.nixSeconds), unit: 's' },
    'push.fetch_seconds': { value: median((push) => push.fetchSeconds), unit: 's' },
    'push.record_seconds': { value: median((push) => push.recordSeconds), unit: 's' },
    'evaluation.overhead_share': {
      value: median((push) => (push.seconds - push.nixSeconds) / push.nixSeconds),
      unit: '',
    },
  }
}

/** The drift of every host is judged by the commit. */
async function untilEvaluated(api: DemoApi, commit: string): Promise<void> {
  await until(
    `${commit} is evaluated`,
    async () => {
      // one host while Nix works, so that looking does not slow it
      const { drift: last } = await api.getSystem(HOSTS.at(-1) ?? '')
      if (last?.desired_commit?.sha !== commit) return null
      const { systems } = await api.listSystems({ limit: HOSTS.length })
      return systems.every(({ drift }) => drift?.desired_commit?.sha === commit) ? true : null
    },
    120_000,
  )
}

async function logOf(lines: readonly LogLine[], commit: string): Promise<LogLine> {
  return until('the log says how long it took', async () => {
    const line = lines.find((each) => each.msg === 'a commit is evaluated' && each['commit'] === commit)
    return line ?? null
  })
}

async function createRepository(directory: string) {
  const path = join(directory, 'repository')
  await mkdir(path)
  const git = async (...args: string[]): Promise<string> => {
    const identity = [
      '-c',
      'user.name=Bench',
      '-c',
      'user.email=bench@example.org',
      '-c',
      'commit.gpgSign=false',
    ]
    const { stdout } = await promisify(execFile)('git', [...identity, ...args], { cwd: path })
    return stdout.trim()
  }
  await git('init', '--quiet', '--initial-branch=main')
  return {
    path,
    url: `git+file://${path}`,
    push: async (text: string): Promise<string> => {
      await writeFile(join(path, 'flake.nix'), flakeOf(text))
      await git('add', '--all')
      await git('commit', '--quiet', '--message', text)
      return git('rev-parse', 'HEAD')
    },
  }
}

const flakeOf = (text: string): string => `{
  outputs = { self }:
    let
      work = name: builtins.foldl' (sum: each: sum + each) (builtins.stringLength name) (builtins.genList (i: i) ${ADDITIONS});
      nixos = name: {
        inherit name;
        value.config.system.build.toplevel = derivation {
          name = "nixos-system-\${name}";
          system = "x86_64-linux";
          builder = "/bin/sh";
          args = [ "-c" "\${name} \${toString (work name)} ${text}" ];
        };
      };
    in {
      nixosConfigurations = builtins.listToAttrs (map nixos (builtins.fromJSON ''${JSON.stringify(HOSTS)}''));
    };
}
`

async function writeConfiguration(
  directory: string,
  given: {
    port: number
    flake: string
    keys: readonly { hostname: string; key: ReturnType<typeof newKey> }[]
  },
): Promise<string> {
  const secretFile = join(directory, 'secret')
  await writeFile(secretFile, SECRET, { mode: 0o600 })
  const path = join(directory, 'server.toml')
  const systems = given.keys.map(
    ({ hostname, key }) => `
[[systems]]
hostname = "${hostname}"
flake_url = "${given.flake}"
public_key = "${key.publicKey.toString('base64')}"
`,
  )
  await writeFile(
    path,
    `[server]
host = "127.0.0.1"
port = ${given.port}
state_dir = "${join(directory, 'state')}"

[[flakes]]
url = "${given.flake}"
webhook_secret_file = "${secretFile}"
${systems.join('')}`,
  )
  return path
}
