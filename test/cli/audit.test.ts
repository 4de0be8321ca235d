import { userInfo } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { fleetCli } from '../support/fleet-cli.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
let cli: ReturnType<typeof fleetCli>

beforeAll(async () => {
  server = await startTestServer()
  cli = fleetCli(server)
  await server.api('POST', '/systems', { body: { hostname: 'web1', environment: 'lab' } })
  await server.api('PATCH', '/systems/web1', { body: { environment: 'pro\u001b[2Jduction' } })
  await server.api('PUT', '/systems/web1/archived')
})
afterAll(() => server.stop())

test('audit lists who changed what, the newest first, and nothing acts on the terminal', async () => {
  const { stdout } = await cli.run('audit', '--subject', 'web1')
  expect(stdout.split('\n').map((line) => line.split(/ {2,}/).slice(1))).toEqual([
    ['WHO', 'FROM', 'ACTION', 'WHAT', 'CHANGES'],
    ["token a test's admin", '127.0.0.1', 'system.archive', 'web1', 'archived: false → true'],
    [
      "token a test's admin",
      '127.0.0.1',
      'system.change',
      'web1',
      String.raw`environment: "lab" → "pro\u001b[2Jduction"`,
    ],
    ["token a test's admin", '127.0.0.1', 'system.add', 'web1', 'environment: "lab"'],
    [],
  ])
})

test('audit is filtered, cut and given as JSON', async () => {
  const actions = async (...args: string[]) =>
    (await cli.json('audit', ...args)).records.map(({ action }: { action: string }) => action)
  expect(await actions('--subject', 'WEB1', '--action', 'system.add')).toEqual(['system.add'])
  expect(await actions('--actor', 'nobody')).toEqual([])
  expect(await actions('--limit', '2')).toEqual(['system.archive', 'system.change'])
  expect((await cli.run('audit', '--actor', 'nobody')).stdout).toBe('no record of such a change\n')
  expect((await cli.run('audit', '--limit', '1')).stdout).toMatch(/there are more than these 1: /)
  expect(await cli.run('audit', '--action', 'nonsense')).toMatchObject({ code: 2 })
})

test('a command that changes the database itself says who ran it', async () => {
  const { host, port, user, password, name } = server.connection
  const made = await runCli(['tokens', 'create', '--database', '--name', 'first', '--role', 'admin'], {
    cwd: '/',
    env: {
      CRYSTAL_FORGE__DATABASE__HOST: host,
      CRYSTAL_FORGE__DATABASE__PORT: String(port),
      CRYSTAL_FORGE__DATABASE__USER: user,
      CRYSTAL_FORGE__DATABASE__PASSWORD: password?.reveal() ?? '',
      CRYSTAL_FORGE__DATABASE__NAME: name,
    },
  })
  expect(made.code).toBe(0)
  const { records } = await cli.json('audit', '--subject', 'first')
  expect(records).toMatchObject([
    {
      action: 'token.create',
      actor: { kind: 'command', name: userInfo().username, role: null, address: null },
    },
  ])
})
