import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ConnectionOptions } from '../../src/store/database.ts'
import { runCli } from '../support/cli.ts'
import { fleetCli } from '../support/fleet-cli.ts'
import { addTestUser, createTestBrowser, PASSWORD, signedIn } from '../support/people.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
let cli: ReturnType<typeof fleetCli>
beforeAll(async () => {
  server = await startTestServer()
  cli = fleetCli(server)
})
afterAll(() => server.stop())

const tokenOf = (link: string): string => link.trim().split('#token=')[1] ?? ''
const choose = (of: TestServer, link: string, password = PASSWORD) =>
  createTestBrowser(of).api('POST', '/password', { token: tokenOf(link), password })

/** Runs a command on the database of a server, which it needs to know nothing else of. */
async function onDatabase({ connection }: { connection: ConnectionOptions }, ...args: string[]) {
  const stateDir = await temporaryDirectory()
  await chmod(stateDir, 0o755)
  const result = await runCli(args, {
    cwd: stateDir,
    env: {
      CRYSTAL_FORGE__DATABASE__HOST: connection.host,
      CRYSTAL_FORGE__DATABASE__PORT: String(connection.port),
      CRYSTAL_FORGE__DATABASE__USER: connection.user,
      CRYSTAL_FORGE__DATABASE__PASSWORD: connection.password?.reveal() ?? '',
      CRYSTAL_FORGE__DATABASE__NAME: connection.name,
      CRYSTAL_FORGE__SERVER__PUBLIC_URL: 'https://forge.example.org',
      CRYSTAL_FORGE__SERVER__STATE_DIR: stateDir,
    },
  })
  return { ...result, stateDir }
}

describe('users', () => {
  test('list tells a server without users how the first is made', async () => {
    expect((await cli.run('users', 'list')).stdout).toBe(
      'no users: `users setup-link` makes the link for the first\n',
    )
  })

  test('add prints the link alone on stdout, with which a password is chosen', async () => {
    const args = ['users', 'add', 'vera', '--role', 'viewer', '--display-name', 'Vera V']
    const { code, stdout, stderr } = await cli.run(...args)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/set-password#token=cfl_[\w-]{43}\n$/)
    expect(stderr).toMatch(
      /^Added vera as viewer, who chooses a password there until .* UTC \(in [23] d\)\. It is shown this once/,
    )
    expect((await choose(server, stdout)).status).toBe(204)
    await signedIn(server, 'vera')
    expect(await cli.run(...args)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('there is a user vera already'),
    })
  })

  test('list shows role, way and last time of signing in', async () => {
    await cli.run('users', 'add', 'new', '--role', 'admin')
    const rows = (await cli.run('users', 'list')).stdout.split('\n').map((line) => line.trim().split(/ {2,}/))
    expect(rows[0]).toEqual(['NAME', 'DISPLAY NAME', 'ROLE', 'SIGNS IN', 'LAST SIGN-IN', 'ADDED'])
    const time = expect.stringMatching(/UTC \((now|\d+ s ago)\)$/)
    expect(rows[1]).toEqual(['new', '-', 'admin', 'no password yet', 'never', time])
    expect(rows[2]).toEqual(['vera', 'Vera V', 'viewer', 'by password', time, time])
    expect((await cli.json('users', 'list')).users).toContainEqual(
      expect.objectContaining({ name: 'vera', role: 'viewer', disabled: false }),
    )
  })

  test('set-role, disable, enable and remove hold at once', async () => {
    await addTestUser(server, 'oleg', 'viewer')
    const oleg = await signedIn(server, 'oleg')
    expect((await cli.run('users', 'set-role', 'OLEG', 'operator')).stdout).toBe('oleg is operator now\n')
    expect((await oleg.api('POST', '/systems', { hostname: 'by-oleg' })).status).toBe(201)
    expect((await cli.run('users', 'disable', 'oleg')).stdout).toBe(
      'oleg is shut out now, and signed out everywhere\n',
    )
    expect((await oleg.api('GET', '/systems')).status).toBe(401)
    expect((await oleg.signIn('oleg')).status).toBe(401)
    expect(await cli.json('users', 'enable', 'oleg')).toEqual({ name: 'oleg', disabled: false })
    expect((await oleg.signIn('oleg')).status).toBe(204)
    expect((await cli.run('users', 'remove', 'oleg')).stdout).toBe('removed oleg\n')
    expect((await oleg.api('GET', '/systems')).status).toBe(401)
    expect(await cli.run('users', 'remove', 'oleg')).toMatchObject({
      code: 1,
      stderr: 'crystal-forge: there is no user oleg: `users list` shows who is there\n',
    })
  })

  test('password-link makes the one before useless, and ends the sessions when it is used', async () => {
    await addTestUser(server, 'lost', 'viewer')
    const before = await signedIn(server, 'lost')
    const first = await cli.run('users', 'password-link', 'lost')
    const { link, expires_at: until } = await cli.json('users', 'password-link', 'lost')
    expect(Date.parse(until)).toBeGreaterThan(Date.now() + 2.9 * 86_400_000)
    expect((await choose(server, first.stdout)).status).toBe(403)
    expect((await choose(server, link, 'a new long password')).status).toBe(204)
    expect((await before.api('GET', '/systems')).status).toBe(401)
    expect((await before.signIn('lost', 'a new long password')).status).toBe(204)
  })

  test.each([
    [['users', 'add', 'x'], "required option '--role <role>' not specified"],
    [['users', 'add', 'x', '--role', 'root'], 'Allowed choices are viewer, operator, admin'],
    [['users', 'set-role', 'x', 'root'], 'Allowed choices are viewer, operator, admin'],
    [['users', 'password-link', 'x', '--database', '--url', 'http://x'], 'cannot be used with'],
    [['users', 'remove'], "missing required argument 'name'"],
  ])('%j is wrong usage', async (args, message) => {
    const { code, stdout, stderr } = await cli.run(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

describe('on the machine of the server, over its database', () => {
  test('setup-link makes a new link for the first administrator, and keeps it where the server does', async () => {
    const fresh = await startTestServer()
    try {
      const lost = await onDatabase(fresh, 'users', 'setup-link')
      const { code, stdout, stderr, stateDir } = await onDatabase(fresh, 'users', 'setup-link')
      expect(code).toBe(0)
      expect(stdout).toMatch(/^https:\/\/forge\.example\.org\/setup#token=cfl_[\w-]{43}\n$/)
      expect(stderr).toContain('the one before does not work any more')
      expect(await readFile(join(stateDir, 'setup-link'), 'utf8')).toBe(stdout)
      const setUp = (link: string) =>
        createTestBrowser(fresh).api('POST', '/setup', {
          token: tokenOf(link),
          name: 'ada',
          password: PASSWORD,
        })
      expect((await setUp(lost.stdout)).status).toBe(403)
      expect((await setUp(stdout)).status).toBe(204)
      expect(await onDatabase(fresh, 'users', 'setup-link')).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('there are users already (the only admin is ada)'),
      })
    } finally {
      await fresh.stop()
    }
  })

  test('setup-link says what to do where there are users, and no administrator', async () => {
    const headless = await startTestServer()
    try {
      await addTestUser(headless, 'vera', 'viewer')
      expect((await onDatabase(headless, 'users', 'setup-link')).stderr).toContain(
        'there are users already (none is an admin who may sign in: a token of `crystal-forge tokens create --database ' +
          '--role admin` makes one)',
      )
    } finally {
      await headless.stop()
    }
  })

  test('password-link --database lets the last administrator in again', async () => {
    const locked = await startTestServer()
    try {
      await addTestUser(locked, 'ada', 'admin')
      await addTestUser(locked, 'gone', 'viewer')
      await locked.api('PATCH', '/users/2', { body: { disabled: true } })
      const { code, stdout, stderr } = await onDatabase(locked, 'users', 'password-link', 'Ada', '--database')
      expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('in 2 d') })
      expect(stdout).toMatch(/^https:\/\/forge\.example\.org\/set-password#token=/)
      expect((await choose(locked, stdout, 'a new long password')).status).toBe(204)
      expect((await createTestBrowser(locked).signIn('ada', 'a new long password')).status).toBe(204)
      const { body } = await locked.api('GET', '/audit?action=user.password-link')
      expect(body.records[0]).toMatchObject({ actor: { kind: 'command' }, subject: { name: 'ada' } })
      for (const [name, message] of [
        ['nobody', 'there is no user nobody; the only admin is ada'],
        ['gone', 'gone is disabled: the only admin is ada'],
      ] as const)
        expect(await onDatabase(locked, 'users', 'password-link', name, '--database')).toMatchObject({
          code: 1,
          stderr: `crystal-forge: ${message}\n`,
        })
    } finally {
      await locked.stop()
    }
  })
})
