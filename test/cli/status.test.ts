import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withClient } from '../../src/store/database.ts'
import { fleetCli } from '../support/fleet-cli.ts'
import { createTestAgent, registerTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
let cli: ReturnType<typeof fleetCli>

beforeAll(async () => {
  server = await startTestServer()
  cli = fleetCli(server)
})
afterAll(() => server.stop())

test('a server without systems says how to begin', async () => {
  const { code, stdout } = await cli.run('status')
  expect(code).toBe(0)
  expect(stdout.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/, 'TIME')).toBe(
    `${server.url}/ at TIME\n\nno systems yet: add one with \`crystal-forge systems add HOST\`, or let agents enrol\n`,
  )
})

describe('a fleet', () => {
  beforeAll(async () => {
    const healthy = await registerTestAgent(server, { hostname: 'fine1' })
    healthy.state.system!.reboot_needed = []
    await healthy.report()
  })

  test('in which all is well says so', async () => {
    const { stdout } = await cli.run('status')
    expect(stdout.split('\n').slice(2)).toEqual([
      'fleet         1 system: 1 online',
      'drift         1 unassigned',
      'flags         none',
      'pending keys  none',
      '',
      'Nothing needs attention.',
      '',
    ])
    expect(await cli.json('status')).toMatchObject({ systems: 1, attention: [] })
  })

  test('shows what needs attention, the worst first, with names', async () => {
    const clone = await registerTestAgent(server, { hostname: 'clone1' })
    clone.state.system!.reboot_needed = []
    await clone.report()
    clone.state.fingerprint.software.machine_id_digest = 'cd'.repeat(32)
    await clone.report({ previous: null })
    const silent = await registerTestAgent(server, { hostname: 'silent1' })
    await silent.report({ spool_failed: true })
    await withClient(server.connection, 'test', (client) =>
      client.query(`update contacts set last_contact = now() - interval '2 days'
        where system_id = (select id from systems where hostname = 'silent1')`),
    )
    for (let index = 10; index < 35; index += 1)
      await server.api('POST', '/systems', { body: { hostname: `unborn${index}` } })
    const { body } = await server.api('POST', '/enroll-tokens', {
      body: { name: 'x', uses: 2, needs_approval: true },
    })
    for (const hostname of ['waits1', 'waits1'])
      await createTestAgent(server, { hostname }).enroll(body.token)

    const { stdout } = await cli.run('status')
    expect(stdout.split('\n').slice(2)).toEqual([
      'fleet         29 systems: 2 online, 1 offline, 26 never seen',
      'drift         3 unassigned, 26 no report',
      'flags         1 reboot needed, 1 identity conflict, 1 chain broken, 1 spool failed',
      'pending keys  2',
      '',
      'NEEDS ATTENTION         COUNT  WHERE',
      'identity conflict           1  clone1',
      'chain broken                1  clone1',
      'offline                     1  silent1',
      'key waits for approval      1  waits1',
      'spool failed                1  silent1',
      'reboot needed               1  silent1',
      'never seen                 26  unborn10, unborn11, unborn12, unborn13, unborn14, unborn15 and 20 more',
      '',
      '`crystal-forge systems show HOST` says more.',
      '',
    ])
    expect((await cli.json('status')).attention.slice(0, 4)).toEqual([
      { what: 'identity conflict', count: 1, hostnames: ['clone1'], flakes: [] },
      { what: 'chain broken', count: 1, hostnames: ['clone1'], flakes: [] },
      { what: 'offline', count: 1, hostnames: ['silent1'], flakes: [] },
      { what: 'key waits for approval', count: 1, hostnames: ['waits1'], flakes: [] },
    ])
  })

  test('leaves archived systems out', async () => {
    await server.api('PUT', '/systems/clone1/archived')
    const { stdout } = await cli.run('status')
    expect(stdout).not.toContain('clone1')
    expect(stdout).toContain('28 systems')
  })
})
