import { spawn } from 'node:child_process'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/lib/log.ts'
import { migrate, migrationStatus } from '../../src/store/migrate.ts'
import { emptyDatabase } from '../../src/store/reset.ts'
import { runCli } from '../support/cli.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

let fixture: TestDatabase
let env: Record<string, string>

beforeAll(async () => {
  fixture = await createTestDatabase()
  const { host, port, user, password, name } = fixture.connection
  const database = { host, port, user, password: password?.reveal(), name }
  env = Object.fromEntries(
    Object.entries(database).map(([key, value]) => [
      `CRYSTAL_FORGE__DATABASE__${key.toUpperCase()}`,
      `${value}`,
    ]),
  )
})
afterAll(() => fixture.drop())
beforeEach(() => emptyDatabase(fixture.connection))

const run = async (args: string[]) => runCli(args, { env, cwd: await temporaryDirectory() })
const migrated = async () => (await migrationStatus(fixture.connection)).applied.length > 0
const migrateNow = () => migrate(fixture.connection, { log: createLogger({ level: 'warn' }) })

test('db migrate names what it applied, and then has nothing to do', async () => {
  const first = await run(['db', 'migrate'])
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(first.stdout).toMatch(/^applied 20261123000000_core\n/)
  expect((await run(['db', 'migrate'])).stdout).toBe('nothing to do: the schema is up to date\n')
  expect(JSON.parse((await run(['db', 'migrate', '--json'])).stdout)).toEqual({ applied: [] })
})

test('db status lists pending and applied migrations', async () => {
  const before = await run(['db', 'status', '--json'])
  expect(JSON.parse(before.stdout)).toEqual({
    migrations: expect.arrayContaining([{ name: '20261123000000_core', state: 'pending', applied_at: null }]),
  })
  await migrateNow()
  const after = await run(['db', 'status'])
  expect(after.stdout).toMatch(/^MIGRATION +STATE +APPLIED AT\n20261123000000_core +applied +20/)
})

describe('db reset', () => {
  beforeEach(async () => {
    await migrateNow()
  })

  test('with --yes removes everything', async () => {
    const { code, stdout } = await run(['db', 'reset', '--yes'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: `emptied the database ${fixture.connection.name}\n` })
    expect(await migrated()).toBe(false)
  })

  test('without --yes and without a terminal is wrong usage, and removes nothing', async () => {
    const { code, stderr } = await run(['db', 'reset'])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'crystal-forge: db reset asks before it removes everything: give --yes\n',
    })
    expect(await migrated()).toBe(true)
  })

  test.each([
    ['its name', (name: string) => name, 0, false],
    ['another name', () => 'production', 1, true],
  ])('on a terminal goes by whether %s is typed', async (_what, answerFor, status, stays) => {
    const answer = answerFor(fixture.connection.name)
    expect(await onTerminal(`${answer}\n`)).toBe(status)
    expect(await migrated()).toBe(stays)
  })
})

test('db migrate works on the embedded PostgreSQL too', async () => {
  const directory = await temporaryDirectory()
  await chmod(directory, 0o755)
  const embedded = { CRYSTAL_FORGE__SERVER__STATE_DIR: join(directory, 'state') }
  const { code, stdout } = await runCli(['db', 'migrate'], { env: embedded, cwd: directory })
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^applied 20261123000000_core\n/),
  })
})

/** Runs `db reset` on a terminal that script(1) makes, types the answer, and returns the exit status. */
async function onTerminal(input: string): Promise<number | null> {
  const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')
  const child = spawn('script', ['-qec', `${process.execPath} ${main} db reset`, '/dev/null'], {
    env: { ...process.env, ...env },
  })
  const output = text(child.stdout)
  child.stdout.on('data', (data: Buffer) => {
    if (data.includes('Type the name')) child.stdin.write(input)
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  expect(await output).toContain(`All data in database "${fixture.connection.name}"`)
  return code
}
