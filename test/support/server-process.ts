import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts')

/** A server as it is run, a process of its own until the test is over; resolves with its address. */
export async function startServer(cwd: string, env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, [MAIN, 'server'], {
    cwd,
    env: { ...env, PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await exited
  })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line)
    const address: unknown = JSON.parse(line).address
    if (typeof address === 'string' && line.includes('the server is ready')) return address
  }
  throw new Error(`the server ended:\n${lines.join('\n')}`)
}
