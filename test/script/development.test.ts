import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { runProcess } from '../../src/lib/process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { waitFor } from '../support/wait.ts'

const ROOT = join(import.meta.dirname, '../..')

interface ProcessOfCompose {
  command: string
  ready_log_line?: string
  depends_on?: Record<string, { condition: string }>
  readiness_probe?: { http_get: { host: string; scheme: string; port: number; path: string } }
  shutdown: { signal: number; timeout_seconds: number }
}

interface Compose {
  version: string
  log_level: string
  processes: Record<string, ProcessOfCompose>
}

async function readCompose(): Promise<Compose> {
  const compose: Compose = parse(await readFile(join(ROOT, 'process-compose.yaml'), 'utf8'))
  return compose
}

test('process-compose.yaml says what process-compose understands', async () => {
  const { processes, ...rest } = await readCompose()
  expect(rest).toEqual({ version: '0.5', log_level: 'info' })
  expect(Object.keys(processes)).toEqual(['postgres', 'server'])
  const known = new Set(['command', 'depends_on', 'readiness_probe', 'ready_log_line', 'shutdown'])
  for (const [name, each] of Object.entries(processes)) {
    expect(Object.keys(each).filter((key) => !known.has(key))).toEqual([])
    for (const [other, { condition }] of Object.entries(each.depends_on ?? {})) {
      expect(name).not.toBe(other)
      expect(condition).toBe('process_log_ready')
      expect(processes[other]?.ready_log_line).toBeDefined()
    }
  }
})

test('every command of development works from nothing', async () => {
  const { postgres, server } = (await readCompose()).processes
  const directory = await temporaryDirectory()
  // for the user that PostgreSQL runs as when we are root
  await chmod(directory, 0o755)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const env = {
    PATH: process.env['PATH'],
    HOME: directory,
    CRYSTAL_FORGE_DEV: directory,
    CRYSTAL_FORGE_URL: url,
    CRYSTAL_FORGE__SERVER__PORT: String(port),
    CRYSTAL_FORGE__SERVER__EVALUATE: 'false',
    CRYSTAL_FORGE__CLIENT__SERVER_URL: url,
  }

  const database = start(postgres!.command, env)
  await waitFor(() => database.output().includes(postgres!.ready_log_line!), { timeoutMs: 30_000 })

  const running = start(server!.command, env)
  const { path } = server!.readiness_probe!.http_get
  await waitFor(async () => (await fetch(url + path)).ok, { timeoutMs: 30_000 })

  const agent = start('script/run-agent --dev', env)
  await waitFor(async () => (await reportedSystems(url)) === 1, { timeoutMs: 30_000 })

  const pushed = await run('script/simulate-push', ['--json'], env)
  expect(pushed).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(pushed.stdout)).toMatchObject({ outcome: 'accepted', branch: 'main' })

  for (const each of [agent, running]) await each.stop()
  const refreshed = await run('script/db-refresh', [], env)
  expect(refreshed).toMatchObject({ code: 0 })
  expect(refreshed.stdout).toMatch(/^emptied the database crystal_forge\napplied \d+_core$/m)
  await database.stop()
}, 120_000)

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  listener.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function reportedSystems(url: string): Promise<number> {
  const page: { systems: { report_id: string | null }[] } = JSON.parse(
    await (await fetch(`${url}/api/v1/systems`)).text(),
  )
  return page.systems.filter((system) => system.report_id !== null).length
}

function run(command: string, args: string[], env: Record<string, string | undefined>) {
  return runProcess(join(ROOT, command), args, {
    cwd: ROOT,
    env,
    timeoutMs: 60_000,
    maxOutputBytes: 2 ** 20,
  })
}

/** A command line as process-compose runs it. */
function start(command: string, env: Record<string, string | undefined>) {
  const child = spawn('bash', ['-c', command], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      output += text
    })
  }
  const signal = (name: NodeJS.Signals): void => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, name)
  }
  onTestFinished(() => signal('SIGKILL'))
  return {
    output: () => output,
    stop: async () => {
      const ended = once(child, 'exit')
      signal('SIGTERM')
      await ended
    },
  }
}
