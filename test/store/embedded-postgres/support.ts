import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { createLogger } from '../../../src/lib/log.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { type ConnectionOptions, withClient } from '../../../src/store/database.ts'
import {
  createEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '../../../src/store/embedded-postgres/embedded-postgres.ts'

/** Faster, for tests that do not pull the plug. */
const SETTINGS = { fsync: 'off' }

/** An empty directory, which another user may pass; removed when the test is done, with what still runs in it. */
export async function createStateDirectory(): Promise<string> {
  const directory = await makeDirectory()
  onTestFinished(() => removeStateDirectory(directory))
  return directory
}

/** A copy of a directory in which PostgreSQL has run: saves each test its initdb. Call it in beforeAll. */
export async function createTemplate(): Promise<{
  copy: () => Promise<string>
  remove: () => Promise<void>
}> {
  const template = await makeDirectory()
  const postgres = createEmbeddedPostgres({
    stateDir: template,
    log: createLogger({ level: 'warn' }),
    settings: SETTINGS,
  })
  await postgres.start()
  await postgres.stop()
  const copy = async () => {
    const directory = await createStateDirectory()
    // fs.cp does not keep owners
    await promisify(execFile)('cp', ['-a', join(template, 'postgres'), directory])
    return directory
  }
  return { copy, remove: () => removeStateDirectory(template) }
}

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp('/tmp/cf-embedded-')
  await chmod(directory, 0o755)
  return directory
}

async function removeStateDirectory(directory: string): Promise<void> {
  for (const pid of await postgresProcesses(directory)) process.kill(pid, 'SIGKILL')
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

export interface Embedded extends EmbeddedPostgres {
  /** Log lines so far. */
  lines: string[]
}

/** In this process; stopped when the test is done. */
export function createEmbedded(stateDir: string, options: Partial<EmbeddedPostgresOptions> = {}): Embedded {
  const lines: string[] = []
  const log = createLogger({ destination: { write: (line: string) => lines.push(line) } })
  const postgres = createEmbeddedPostgres({ stateDir, log, settings: SETTINGS, ...options })
  onTestFinished(() => postgres.stop())
  return { ...postgres, lines }
}

export interface ServerProcess {
  process: ChildProcess
  connection: ConnectionOptions
  /** SIGTERM, and waits for the end. */
  stop: () => Promise<void>
  kill: () => Promise<void>
}

/** Starts server.ts without waiting for it; killed when the test is done. */
export function spawnServer(stateDir: string, ...args: string[]): ChildProcess {
  const script = fileURLToPath(new URL('server.ts', import.meta.url))
  const child = spawn(process.execPath, [script, stateDir, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

export async function startServer(stateDir: string, ...args: string[]): Promise<ServerProcess> {
  const child = spawnServer(stateDir, ...args)
  const first = createInterface({ input: child.stdout! })[Symbol.asyncIterator]().next()
  const exit = once(child, 'exit')
  const line = await Promise.race([first, exit.then(() => null)])
  if (line === null || line.done) throw new Error(`server.ts ended with status ${child.exitCode}`)
  const answer: Omit<ConnectionOptions, 'password'> & { password: string } = JSON.parse(line.value)
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exit
  }
  return {
    process: child,
    connection: { ...answer, password: new Secret(answer.password) },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

/** The rows of a query, on a connection of its own. */
export function query(connection: ConnectionOptions, text: string): Promise<Record<string, unknown>[]> {
  return withClient(connection, 'test', async (client) => {
    const { rows } = await client.query<Record<string, unknown>>(text)
    return rows
  })
}

export async function postmasterPid(stateDir: string): Promise<number> {
  return Number.parseInt(await readFile(join(stateDir, 'postgres/data/postmaster.pid'), 'utf8'), 10)
}

/** The main processes that work below the state directory. */
export async function postgresProcesses(stateDir: string): Promise<number[]> {
  const pids: number[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')
    if (/^\S*postgres\0/.test(command) && command.includes(`${stateDir}/`)) pids.push(Number(entry))
  }
  return pids
}

export const ownerOf = async (path: string): Promise<number> => (await stat(path)).uid
