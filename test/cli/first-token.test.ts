import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { startServer } from '../support/server-process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

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
