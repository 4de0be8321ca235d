import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createApiToken } from '../../src/store/api-tokens.ts'
import { createTestDatabase } from '../support/database.ts'
import { createFlakeRepository } from '../support/flake-repository.ts'
import { fleetCli } from '../support/fleet-cli.ts'
import { startServer } from '../support/server-process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

test('a server follows and evaluates what its configuration declares', { timeout: 90_000 }, async () => {
  const { connection, database, drop } = await createTestDatabase()
  onTestFinished(drop)
  const { token } = await createApiToken(database.db, { name: 'a test', role: 'admin', expiresAt: null })
  const { url, commitFlake } = await createFlakeRepository()
  await commitFlake({ web1: 'nixos "web1" { }' })
  const cwd = await temporaryDirectory()
  await chmod(cwd, 0o755)
  const address = await startServer(cwd, {
    CRYSTAL_FORGE__DATABASE__HOST: connection.host,
    CRYSTAL_FORGE__DATABASE__PORT: String(connection.port),
    CRYSTAL_FORGE__DATABASE__USER: connection.user,
    CRYSTAL_FORGE__DATABASE__PASSWORD: connection.password?.reveal() ?? '',
    CRYSTAL_FORGE__DATABASE__NAME: connection.name,
    CRYSTAL_FORGE__SERVER__HOST: '127.0.0.1',
    CRYSTAL_FORGE__SERVER__PORT: '0',
    CRYSTAL_FORGE__SERVER__STATE_DIR: join(cwd, 'state'),
    CRYSTAL_FORGE__FLAKES: JSON.stringify([{ url, branch: 'main', search_depth: 5 }]),
    CRYSTAL_FORGE__SYSTEMS: JSON.stringify([{ hostname: 'web1', flake_url: url }]),
  })
  const cli = fleetCli({ url: address, adminToken: token })
  const { flakes } = await cli.json('flakes', 'list')
  expect(flakes).toMatchObject([{ url, branch: 'main', search_depth: 5, declared: true, systems: 1 }])
  expect(await cli.run('flakes', 'remove', url)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("is declared in the server's configuration; change it there"),
  })
  const synced = await cli.json('flakes', 'sync', '--wait')
  expect(synced.flakes).toMatchObject([{ head: { status: 'evaluated', configurations: 1, succeeded: 1 } }])
  const { evaluations } = await cli.json('evaluations', 'list')
  expect(evaluations).toMatchObject([{ configuration: 'web1', status: 'succeeded' }])
})
