import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withClient } from '../../src/store/database.ts'
import { emptyDatabase } from '../../src/store/reset.ts'
import { runCli } from '../support/cli.ts'
import { createTestDatabase } from '../support/database.ts'
import { fleetCli } from '../support/fleet-cli.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { createTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import type { ConnectionOptions } from '../../src/store/database.ts'

let server: TestServer
let cli: ReturnType<typeof fleetCli>

beforeAll(async () => {
  server = await startTestServer()
  cli = fleetCli(server)
})
afterAll(() => server.stop())

const TOKEN = /^cf[ae]_[A-Za-z0-9_-]{43}\n$/
const statusOf = async (token: string, path: string) => (await server.api('GET', path, { token })).status

describe('tokens', () => {
  test('create prints the token alone on stdout, and it works', async () => {
    const { code, stdout, stderr } = await cli.run('tokens', 'create', '--name', 'ci', '--role', 'operator')
    expect(code).toBe(0)
    expect(stdout).toMatch(TOKEN)
    expect(stderr).toMatch(
      /^Made an operator's token, valid until it is revoked \(id \d+\)\. It is shown this once and stored only as a hash\.\n$/,
    )
    expect(await statusOf(stdout.trim(), '/enroll-tokens')).toBe(200)
    expect(await statusOf(stdout.trim(), '/tokens')).toBe(403)
  })

  test('create --expires, --json; list; revoke', async () => {
    const { id, token } = await cli.json(
      'tokens',
      'create',
      '--name',
      'brief',
      '--role',
      'viewer',
      '--expires',
      '90d',
    )
    const { stdout } = await cli.run('tokens', 'list')
    const rows = stdout.split('\n').map((line) => line.trim().split(/ {2,}/))
    expect(rows[0]).toEqual(['ID', 'NAME', 'ROLE', 'CREATED', 'LAST USED', 'EXPIRES'])
    expect(rows.find((row) => row[1] === 'brief')).toEqual([
      String(id),
      'brief',
      'viewer',
      expect.stringMatching(/UTC \((now|\d+ s ago)\)$/),
      'never',
      expect.stringMatching(/UTC \(in (89|90) d\)$/),
    ])
    expect(stdout).not.toContain(token)
    expect((await cli.json('tokens', 'list')).tokens).toContainEqual(
      expect.objectContaining({ id, name: 'brief', role: 'viewer' }),
    )
    expect((await cli.run('tokens', 'revoke', String(id))).stdout).toBe(`revoked the token ${id}\n`)
    expect(await statusOf(token, '/systems')).toBe(401)
    expect(await cli.run('tokens', 'revoke', String(id))).toMatchObject({
      code: 1,
      stderr: `crystal-forge: There is no such thing: there is no token ${id}\n`,
    })
  })

  test.each([
    [['tokens', 'create', '--role', 'viewer'], "required option '--name <name>' not specified"],
    [['tokens', 'create', '--name', 'x'], "required option '--role <role>' not specified"],
    [['tokens', 'create', '--name', 'x', '--role', 'root'], 'Allowed choices are viewer, operator, admin'],
    [
      ['tokens', 'create', '--name', 'x', '--role', 'viewer', '--expires', 'soon'],
      'must be a whole number and a unit',
    ],
    [
      ['tokens', 'create', '--name', 'x', '--role', 'viewer', '--expires', '5s'],
      'has to be a minute at least',
    ],
    [
      ['tokens', 'create', '--name', 'x', '--role', 'viewer', '--database', '--url', 'http://x'],
      'cannot be used with',
    ],
    [['tokens', 'revoke', '1.5'], 'has to be a whole number, 1 or more'],
    [['tokens', 'revoke'], "missing required argument 'id'"],
    [['tokens', 'rewoke', '1'], "unknown command 'rewoke'"],
  ])('%j is wrong usage', async (args, message) => {
    const { code, stdout, stderr } = await cli.run(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })

  test('only an admin makes them', async () => {
    const operator = fleetCli({ url: server.url, adminToken: await server.createToken('operator') })
    expect(await operator.run('tokens', 'create', '--name', 'x', '--role', 'viewer')).toMatchObject({
      code: 1,
      stderr:
        'crystal-forge: This is not permitted: this needs the role admin; the token has the role operator\n',
    })
  })
})

const settings = ({ host, port, user, password, name }: ConnectionOptions) => ({
  CRYSTAL_FORGE__DATABASE__HOST: host,
  CRYSTAL_FORGE__DATABASE__PORT: String(port),
  CRYSTAL_FORGE__DATABASE__USER: user,
  CRYSTAL_FORGE__DATABASE__PASSWORD: password?.reveal() ?? '',
  CRYSTAL_FORGE__DATABASE__NAME: name,
})
const create = async (env: Record<string, string>, ...more: string[]) =>
  runCli(['tokens', 'create', '--database', '--name', 'first', '--role', 'admin', ...more], {
    cwd: await temporaryDirectory(),
    env,
  })

describe('tokens create --database', () => {
  test('makes the first token beside a running server, which it needs to know nothing of', async () => {
    const { code, stdout, stderr } = await create(settings(server.connection), '--expires', '1h')
    expect(code).toBe(0)
    expect(stderr).toContain("Made an admin's token, valid for 1 h")
    expect(await statusOf(stdout.trim(), '/tokens')).toBe(200)
    await withClient(server.connection, 'test', (client) =>
      client.query(`update api_tokens set expires_at = now() where name = 'first'`),
    )
    expect(await statusOf(stdout.trim(), '/tokens')).toBe(401)
  })

  test('says what to do with an empty database, and changes nothing in it', async () => {
    const fixture = await createTestDatabase()
    try {
      await emptyDatabase(fixture.connection)
      expect(await create(settings(fixture.connection))).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(
          /is empty: start the server once, or run `crystal-forge db migrate`\n$/,
        ),
      })
    } finally {
      await fixture.drop()
    }
  })

  test('says where it could not connect', async () => {
    const password = 'not-the-password'
    const env = { ...settings(server.connection), CRYSTAL_FORGE__DATABASE__PASSWORD: password }
    const { code, stderr } = await create(env)
    expect(code).toBe(1)
    expect(stderr).toContain(`cannot connect to database "${server.connection.name}"`)
    expect(stderr).not.toContain(password)
  })
})

describe('enroll-token', () => {
  test('create prints the token alone on stdout, and an agent enrols with it', async () => {
    const options = '--uses 3 --expires 7d --environment lab --hostname lab1 --needs-approval'.split(' ')
    options.push('--name', 'rack 4', '--flake', 'git+https://example.org/x')
    const { code, stdout, stderr } = await cli.run('enroll-token', 'create', ...options)
    expect(code).toBe(0)
    expect(stdout).toMatch(TOKEN)
    expect(stderr).toMatch(
      /^Lets 3 agents named lab1 enrol within 7 d, each after your approval \(id \d+\)\. It is shown this once/,
    )
    expect((await createTestAgent(server, { hostname: 'other' }).enroll(stdout.trim())).status).toBe(403)
    expect((await createTestAgent(server, { hostname: 'lab1' }).enroll(stdout.trim())).status).toBe(202)
    expect((await server.api('GET', '/systems/lab1')).body).toMatchObject({ environment: 'lab' })
    const listed = await cli.run('enroll-token', 'list')
    const row = listed.stdout.split('\n').find((line) => line.includes('rack 4'))
    expect(row?.trim().split(/ {2,}/).slice(1)).toEqual([
      'rack 4',
      '2',
      expect.stringMatching(/UTC \(in [67] d\)$/),
      'lab',
      'lab1',
      'needed',
      'git+https://example.org/x',
    ])
    expect(listed.stdout).not.toContain(stdout.trim())
  })

  test('defaults are one use, one day, any host, no approval; list and revoke', async () => {
    const { id, token } = await cli.json('enroll-token', 'create')
    expect((await cli.json('enroll-token', 'list')).enroll_tokens).toContainEqual(
      expect.objectContaining({ id, uses_left: 1, hostname: null, needs_approval: false }),
    )
    expect((await cli.run('enroll-token', 'revoke', String(id))).stdout).toBe(
      `revoked the enrolment token ${id}\n`,
    )
    expect((await createTestAgent(server, { hostname: 'late1' }).enroll(token)).status).toBe(403)
    expect((await cli.run('enroll-token', 'revoke', String(id))).code).toBe(1)
  })

  test.each([
    ['--uses', '0'],
    ['--uses', 'many'],
    ['--expires', '24'],
    ['--expires', '-1h'],
  ])('create %s %s is wrong usage', async (...options) => {
    expect((await cli.run('enroll-token', 'create', ...options)).code).toBe(2)
  })

  test('more than the server allows is refused by it', async () => {
    expect(await cli.run('enroll-token', 'create', '--expires', '3650d')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('/body/expires_in_secs must be <= 31622400'),
    })
  })
})
