import { cp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bundleCommands } from '../../script/builder/bundle.ts'
import { runProcess } from '../../src/lib/process.ts'
import { VERSION } from '../../src/lib/version.ts'
import { createTestDatabase } from '../support/database.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const ROOT = join(import.meta.dirname, '../..')

test('what is installed runs without node_modules and finds its migrations', async () => {
  const directory = await temporaryDirectory()
  const dist = join(directory, 'dist')
  await bundleCommands({ 'crystal-forge': join(ROOT, 'src/cli/main.ts') }, dist)
  await cp(join(ROOT, 'migrations'), join(directory, 'migrations'), { recursive: true })
  const { connection, drop } = await createTestDatabase()
  const run = (args: string[]) =>
    runProcess(join(dist, 'crystal-forge.js'), args, {
      cwd: directory,
      env: {
        PATH: process.env['PATH'],
        CRYSTAL_FORGE__DATABASE__HOST: connection.host,
        CRYSTAL_FORGE__DATABASE__PORT: String(connection.port),
        CRYSTAL_FORGE__DATABASE__USER: connection.user,
        CRYSTAL_FORGE__DATABASE__PASSWORD: connection.password?.reveal(),
        CRYSTAL_FORGE__DATABASE__NAME: connection.name,
      },
      timeoutMs: 30_000,
      maxOutputBytes: 1024 * 1024,
    })

  const version = await run(['--version'])
  const status = await run(['db', 'status', '--json'])
  await drop()

  expect(version.stdout).toBe(`${VERSION}\n`)
  expect(status).toMatchObject({ code: 0, stderr: '' })
  const files = (await readdir(join(ROOT, 'migrations'))).filter((file) => /^\d/.test(file)).sort()
  expect(JSON.parse(status.stdout)).toMatchObject({
    migrations: files.map((file) => ({ name: file.replace('.sql', ''), state: 'applied' })),
  })
})
