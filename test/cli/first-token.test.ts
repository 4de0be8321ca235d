import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts')

/** A server as it is run, with an embedded PostgreSQL; resolves with its address. */
async function startServer(cwd: string, env: Record<string, string>): Promise<string> {
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

test('the first token is made beside a running server with an embedded PostgreSQL', async () => {
  const cwd = await temporaryDirectory()
  // for the user that PostgreSQL runs as when we are root
  await chmod(cwd, 0o755)
  const env = {
    CRYSTAL_FORGE__SERVER__HOST: '127.0.0.1',
    CRYSTAL_FORGE__SERVER__PORT: '0',
    CRYSTAL_FORGE__SERVER__STATE_DIR: join(cwd, 'state'),
  }
  const address = await startServer(cwd, env)
  const made = await runCli(['tokens', 'create', '--database', '--name', 'first', '--role', 'admin'], {
    cwd,
    env,
  })
  expect(made).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Made an admin's token/) })
  const api = { CRYSTAL_FORGE_URL: address, CRYSTAL_FORGE_TOKEN: made.stdout.trim() }
  expect(await runCli(['tokens', 'list', '--json'], { cwd, env: api })).toMatchObject({ code: 0 })
  expect((await runCli(['status'], { cwd, env: api })).stdout).toContain('no systems yet')
})
