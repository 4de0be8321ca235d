import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../../src/cli/demo/wait.ts'
import { freePort } from '../../src/cli/demo/free-port.ts'

export interface BenchServer {
  port: number
  /** Of the process that was started; with several, of the parent of those that serve. */
  pid: number
  configPath: string
}

const PRODUCT = [join(import.meta.dirname, '../../src/cli/main.ts'), 'server']

/** The configuration of a server on a free port, with the embedded PostgreSQL below `directory`; its path. */
export async function writeServerConfig(
  directory: string,
  processes = 1,
): Promise<{ configPath: string; port: number }> {
  const port = await freePort()
  const configPath = join(directory, `server-${port}.toml`)
  await writeFile(
    configPath,
    `[server]\nhost = "127.0.0.1"\nport = ${port}\nevaluate = false\nprocesses = ${processes}\n` +
      `state_dir = ${JSON.stringify(directory)}\n`,
  )
  return { configPath, port }
}

/**
 * Runs `work` with a server that answers, and stops it: the product's, with so many processes, or another program that serves
 * as it does.
 */
export async function withServer<T>(
  directory: string,
  options: { program?: readonly string[]; processes?: number },
  work: (server: BenchServer) => Promise<T>,
): Promise<T> {
  const server = await startServer(directory, options)
  try {
    return await work(server)
  } finally {
    await server.stop()
  }
}

async function startServer(
  directory: string,
  { program = PRODUCT, processes = 1 }: { program?: readonly string[]; processes?: number },
) {
  const { configPath, port } = await writeServerConfig(directory, processes)
  const log = openSync(join(directory, `server-${port}.log`), 'a')
  const child = spawn(process.execPath, [...nodeFlags(), ...program], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], CONFIG_PATH: configPath },
    stdio: ['ignore', log, log],
    cwd: directory,
  })
  closeSync(log)
  const exited = once(child, 'exit')
  const failed = exited.then(() => {
    throw new Error(`the server ended by itself; its log is ${join(directory, `server-${port}.log`)}`)
  })
  failed.catch(() => {})
  await Promise.race([failed, until('the server answers', () => isReady(port))])
  return {
    port,
    pid: child.pid ?? 0,
    configPath,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** Of the server, for profiles: CRYSTAL_FORGE_BENCH_NODE='--cpu-prof --cpu-prof-dir=/tmp/x'. */
function nodeFlags(): string[] {
  return (process.env['CRYSTAL_FORGE_BENCH_NODE'] ?? '').split(' ').filter((flag) => flag !== '')
}

async function isReady(port: number): Promise<true | null> {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`)
  await response.body?.cancel()
  return response.ok ? true : null
}
