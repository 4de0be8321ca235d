import { afterAll, beforeAll, expect, test } from 'vitest'
import { reconcile } from '../../src/store/reconcile.ts'
import { fleetCli } from '../support/fleet-cli.ts'
import { STORE_PATH } from '../support/messages.ts'
import { registerTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
let cli: ReturnType<typeof fleetCli>

beforeAll(async () => {
  server = await startTestServer()
  cli = fleetCli(server)
})
afterAll(() => server.stop())

const OTHER_PATH = STORE_PATH.replace('web1', 'other')

/** The lines of a section, with times and spans made equal. */
function sectionOf(text: string, title: string): string[] {
  const section = text.split('\n\n').find((each) => each.startsWith(`${title}\n`)) ?? ''
  return section
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) =>
      line
        .trim()
        .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, 'TIME')
        .replaceAll(/\((now|\d+ (s|min) ago)\)/g, '(AGO)'),
    )
}

const show = async (hostname: string): Promise<string> => {
  const { code, stdout, stderr } = await cli.run('systems', 'show', hostname)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

test('a system that reports is shown with all that is known of it', async () => {
  const agent = await registerTestAgent(server, { hostname: 'web1', environment: 'production' })
  await agent.report()
  // an hour more than is shown: the database's clock and this process's may be a millisecond apart
  await agent.heartbeat({ uptime_secs: 3 * 86_400 + 3600 })
  const text = await show('web1')
  expect(sectionOf(text, 'web1')).toEqual([
    'liveness      online, last contact TIME (AGO)',
    'without a break since TIME (AGO)',
    'reports every 1 min',
    'registration  active: it may report',
    'added TIME (AGO)',
    'environment   production',
    'has to run    not said: it has no flake and no pinned path',
  ])
  expect(sectionOf(text, 'DRIFT')).toEqual([
    'unassigned  nothing says what it has to run: give it a flake or a pinned path (systems set)',
    'since TIME (AGO)',
    `runs        ${STORE_PATH}`,
  ])
  expect(sectionOf(text, 'RUNS')).toEqual([
    `current          ${STORE_PATH}`,
    'booted           the same as current',
    'profile          the same as current',
    'generation       42',
    expect.stringMatching(/^profile changed {2}TIME \(\d+ d ago\)$/),
    'booted at        TIME (3 d ago)',
    'reboot needed    yes: kernel, initrd of the booted system are not those of the profile',
    'observed         TIME (AGO)',
    'received         TIME (AGO)',
    `report           ${agent.reported} (protocol version 1)`,
  ])
  expect(sectionOf(text, 'FLAGS')).toEqual([
    'reboot_needed: what was booted is not what the system profile has; it takes effect with a reboot',
    'since  TIME (AGO)',
    'parts  kernel, initrd',
  ])
  expect(sectionOf(text, 'HARDWARE')).toContain('memory           31.3 GiB (33554432000 bytes)')
  expect(sectionOf(text, 'HARDWARE')).toContain(
    'disks            nvme0n1, 1.0 TB (1000204886016 bytes), serial S5GXNX0T',
  )
  expect(sectionOf(text, 'SOFTWARE')).toContain('NixOS version      25.11.20261120.deadbee')
  expect(sectionOf(text, 'NETWORK')).toContain('interfaces  eth0, 52:54:00:12:34:56: 192.0.2.7/24')
  expect(sectionOf(text, 'SECURITY')).toEqual([
    'secure boot      on',
    'setup mode       off',
    'TPM              present, version 2',
    'SELinux          disabled',
    'FIPS mode        off',
    'kernel lockdown  none',
    'kernel taint     none',
  ])
  expect(sectionOf(text, 'KEYS')[1]).toMatch(new RegExp(`^${agent.key.id} +active`))
})

test('--json has the same and the keys', async () => {
  expect(await cli.json('systems', 'show', 'WEB1')).toMatchObject({
    hostname: 'web1',
    system: { current: STORE_PATH },
    flags: [{ flag: 'reboot_needed' }],
    keys: [{ status: 'active' }],
  })
})

test('flags come with what they mean, the facts that decide them, and how they end', async () => {
  const agent = await registerTestAgent(server, { hostname: 'flags1' })
  await agent.report()
  Object.assign(agent.state.system ?? {}, { current: OTHER_PATH, reboot_needed: [] })
  agent.state.fingerprint.software.hostname = 'renamed'
  const expected = agent.reported
  const unknown = `sha256:${'9'.repeat(64)}`
  await agent.report({ clock_skew_secs: -90, previous: unknown, dropped: 7, spool_failed: true })
  expect(sectionOf(await show('flags1'), 'FLAGS')).toEqual([
    'chain_broken: a report does not follow the one before it: reports were lost, copied or made anew',
    'since              TIME (AGO)',
    'chain              gap',
    'dropped            7',
    `previous           ${unknown}`,
    `expected previous  ${expected}`,
    'stays until        crystal-forge systems acknowledge flags1 chain_broken',
    "clock_skew: its clock differs from the server's by 30 s or more",
    'since            TIME (AGO)',
    'clock skew secs  -90',
    'hostname_changed: it reports another host name than it is registered under',
    'since       TIME (AGO)',
    'reported    renamed',
    'registered  flags1',
    'profile_mismatch: it runs a system that was activated without being the profile; gone after a reboot',
    'since               TIME (AGO)',
    `booted              ${STORE_PATH}`,
    `current             ${OTHER_PATH}`,
    `profile             ${STORE_PATH}`,
    'profile changed at  2026-11-20T08:00:00Z',
    'spool_failed: the agent cannot write its spool: reports may get lost when the server is away',
    'since  TIME (AGO)',
  ])
})

test('what could not be read is unknown, and nothing is guessed', async () => {
  const agent = await registerTestAgent(server, { hostname: 'blind1' })
  const { hardware, security, network } = agent.state.fingerprint
  hardware.memory_bytes = null
  hardware.disks = null
  security.secure_boot = null
  security.tpm = { present: null, version: null }
  network.primary = null
  network.interfaces = []
  await agent.report({ system: null })
  const text = await show('blind1')
  expect(sectionOf(text, 'RUNS').slice(0, 3)).toEqual([
    'current        unknown',
    'booted at      unknown',
    'reboot needed  unknown',
  ])
  expect(sectionOf(text, 'HARDWARE')).toEqual(
    expect.arrayContaining(['memory           unknown', 'disks            unknown']),
  )
  expect(sectionOf(text, 'SECURITY')).toEqual(
    expect.arrayContaining(['secure boot      unknown', 'TPM              unknown']),
  )
  expect(sectionOf(text, 'NETWORK')).toEqual([
    'primary     unknown',
    'gateways    192.0.2.1',
    'interfaces  none',
  ])
})

test('a system that never reported says so, and one of the configuration where it is changed', async () => {
  await reconcile(server.database.db, {
    flakes: [],
    systems: [
      {
        hostname: 'declared1',
        environment: null,
        flakeUrl: 'git+https://example.org/x',
        configuration: 'web',
        pinnedPath: STORE_PATH,
        keys: [],
      },
    ],
  })
  const text = await show('declared1')
  expect(sectionOf(text, 'declared1')).toEqual([
    'liveness       never seen: it has not reported yet',
    'registration   keyless: it has no key that may report',
    "declared in the server's configuration, and changed there",
    'environment    none',
    'flake          git+https://example.org/x',
    'configuration  web',
    `has to run     ${STORE_PATH}`,
  ])
  for (const title of ['RUNS', 'IDENTITY'])
    expect(sectionOf(text, title)).toEqual(['unknown: it has sent no state report yet'])
  for (const title of ['FLAGS', 'KEYS']) expect(sectionOf(text, title)).toEqual(['none'])
})

test('what a heartbeat says to run shows while its report is on its way', async () => {
  const agent = await registerTestAgent(server, { hostname: 'ahead1' })
  await agent.report()
  await agent.heartbeat({ current_system: OTHER_PATH })
  expect(sectionOf(await show('ahead1'), 'RUNS')).toContain(
    `by heartbeat     ${OTHER_PATH} (TIME (AGO); its report is not here yet)`,
  )
})

test('facts of a hostile machine cannot act on the terminal', async () => {
  const agent = await registerTestAgent(server, { hostname: 'evil1' })
  const { software, hardware } = agent.state.fingerprint
  software.hostname = '\u001b[2J\u001b]0;owned\u0007'
  software.os_name = 'Nix\u202eSO'
  hardware.manufacturer = 'two\nlines\r'
  await agent.report()
  const text = await show('evil1')
  // oxlint-disable-next-line no-control-regex -- none of them may be there
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  expect(sectionOf(text, 'SOFTWARE')[0]).toBe(String.raw`host name          \u001b[2J\u001b]0;owned\u0007`)
  expect(sectionOf(text, 'HARDWARE')[0]).toBe(String.raw`manufacturer     two\u000alines\u000d`)
  expect(sectionOf(text, 'FLAGS').join('\n')).toContain(String.raw`reported    \u001b[2J`)
  const { stdout } = await cli.run('systems', 'show', 'evil1', '--json')
  // oxlint-disable-next-line no-control-regex -- none of them may be there
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  expect(JSON.parse(stdout).fingerprint.software.os_name).toBe('Nix\u202eSO')
})
