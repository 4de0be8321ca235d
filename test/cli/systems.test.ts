import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../src/protocol/keys.ts'
import { fleetCli } from '../support/fleet-cli.ts'
import { STORE_PATH } from '../support/messages.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { createTestAgent, newKey, registerTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
let cli: ReturnType<typeof fleetCli>

beforeAll(async () => {
  server = await startTestServer()
  cli = fleetCli(server)
})
afterAll(() => server.stop())

const get = async (path: string) => (await server.api('GET', path)).body
const publicKey = () => encodeBase64(newKey().publicKey)

describe('systems add', () => {
  test('registers what the options say, keys from the command line and from files', async () => {
    const [one, two, three] = [newKey(), newKey(), newKey()]
    const file = join(await temporaryDirectory(), 'host.pub')
    await writeFile(file, `${encodeBase64(three.publicKey)}\n`)
    const settings = `--environment production --flake git+https://example.org/x --configuration web`
    const keys = [one, two].flatMap((key) => ['--public-key', encodeBase64(key.publicKey)])
    const options = [...settings.split(' '), '--derivation', STORE_PATH, ...keys, '--public-key-file', file]
    const result = await cli.run('systems', 'add', 'web1', ...options)
    expect(result).toMatchObject({
      code: 0,
      stdout: 'added web1 with 3 keys; its agent may report now\n',
      stderr: '',
    })
    expect(await get('/systems/web1')).toMatchObject({
      environment: 'production',
      flake_url: 'git+https://example.org/x',
      configuration: 'web',
      pinned_path: STORE_PATH,
    })
    const ids = (await get('/systems/web1/keys')).keys.map(({ id }: { id: string }) => id)
    expect(ids.toSorted()).toEqual([one.id, two.id, three.id].toSorted())
  })

  test('says what is next for a system without a key', async () => {
    expect(await cli.run('systems', 'add', 'keyless1')).toMatchObject({
      code: 0,
      stdout:
        'added keyless1; it has no key yet: its agent may report after ' +
        '`crystal-forge systems keys add keyless1 --public-key-file host.pub`\n',
    })
    expect(await cli.json('systems', 'add', 'keyless2')).toEqual({ hostname: 'keyless2' })
  })

  test('says what is wrong, and where, in the words of the server', async () => {
    expect(await cli.run('systems', 'add', 'two words')).toMatchObject({
      code: 1,
      stdout: '',
      stderr:
        'crystal-forge: The document does not have the form it must have: /body/hostname must be a host name: ' +
        'labels of letters, digits, - and _, joined by dots\n',
    })
    const two = await cli.run('systems', 'add', 'n/a', '--derivation', '/nix/store/...-x')
    expect(two.stderr.split('\n').slice(1)).toEqual([
      '  /body/hostname: must be a host name: labels of letters, digits, - and _, joined by dots',
      expect.stringMatching(/^ {2}\/body\/pinned_path: must be a store path/),
      '',
    ])
    expect((await cli.run('systems', 'add', 'n', '--public-key-file', '/nonexistent')).stderr).toBe(
      "crystal-forge: cannot read the public key: ENOENT: no such file or directory, open '/nonexistent'\n",
    )
  })
})

const names = async (...args: string[]) =>
  (await cli.json('systems', 'list', ...args)).systems.map(({ hostname }: { hostname: string }) => hostname)

describe('systems list', () => {
  beforeAll(async () => {
    const agent = await registerTestAgent(server, { hostname: 'listed1', environment: 'staging' })
    await agent.report({ spool_failed: true })
    await registerTestAgent(server, { hostname: 'listed2', environment: 'staging' })
  })

  test('is a table in the order of the names', async () => {
    const { code, stdout, stderr } = await cli.run('systems', 'list', '--environment', 'staging')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['HOSTNAME', 'ENVIRONMENT', 'LIVENESS', 'DRIFT', 'LAST CONTACT', 'NIXOS', 'REGISTRATION', 'FLAGS'],
      [
        'listed1',
        'staging',
        'online',
        'unassigned',
        expect.stringMatching(/^(now|\d+ s ago)$/),
        '25.11.20261120.deadbee',
        'active',
        'reboot_needed, spool_failed',
      ],
      ['listed2', 'staging', 'never_seen', 'no_report', '-', '-', 'active', '-'],
      [''],
    ])
  })

  test('filters, and prints JSON', async () => {
    expect(await names('--flag', 'spool_failed')).toEqual(['listed1'])
    expect(await names('--liveness', 'online')).toEqual(['listed1'])
    expect(await names('--text', 'LISTED')).toEqual(['listed1', 'listed2'])
    expect(await names('--flake', 'git+https://example.org/x')).toEqual(['web1'])
    expect(await names('--registration', 'keyless')).toEqual(['keyless1', 'keyless2'])
  })

  test('says when there is nothing, and when nothing passes', async () => {
    expect((await cli.run('systems', 'list', '--text', 'nope')).stdout).toBe(
      'no system passes these filters\n',
    )
    const empty = await startTestServer()
    try {
      expect((await fleetCli(empty).run('systems', 'list')).stdout).toMatch(/^no systems yet: add one with/)
    } finally {
      await empty.stop()
    }
  })

  test('a value that cannot be is wrong usage, with those that can', async () => {
    const { code, stderr } = await cli.run('systems', 'list', '--liveness', 'dead')
    expect(code).toBe(2)
    expect(stderr).toContain('Allowed choices are online, late, offline, never_seen')
  })
})

describe('systems approve, archive, acknowledge', () => {
  test('approve lets waiting keys in, all or one', async () => {
    const { body } = await server.api('POST', '/enroll-tokens', {
      body: { name: 'x', uses: 2, needs_approval: true },
    })
    const [one, two] = [1, 2].map(() => createTestAgent(server, { hostname: 'waits1' }))
    for (const agent of [one, two]) await agent?.enroll(body.token)
    expect(await cli.run('systems', 'approve', 'waits1', '--key', one?.key.id ?? '')).toMatchObject({
      code: 0,
      stdout: `approved the key ${one?.key.id} of waits1\n`,
    })
    expect(await cli.json('systems', 'approve', 'waits1')).toEqual({
      hostname: 'waits1',
      approved: [two?.key.id],
    })
    expect(await cli.run('systems', 'approve', 'waits1')).toMatchObject({
      code: 1,
      stderr:
        'crystal-forge: The request conflicts with what is there: no such key of waits1 waits for approval\n',
    })
  })

  test('archive and --undo', async () => {
    await registerTestAgent(server, { hostname: 'old1' })
    expect((await cli.run('systems', 'archive', 'old1')).stdout).toBe(
      'archived old1; its keys are refused from now on\n',
    )
    expect((await get('/systems/old1')).registration).toBe('archived')
    expect(await cli.json('systems', 'archive', 'old1', '--undo')).toEqual({
      hostname: 'old1',
      archived: false,
    })
    expect((await get('/systems/old1')).registration).toBe('active')
  })

  test('acknowledge takes down a flag that stays, and explains the others', async () => {
    const agent = await registerTestAgent(server, { hostname: 'flagged1' })
    await agent.report()
    await agent.report({ previous: null })
    expect((await cli.run('systems', 'acknowledge', 'flagged1', 'chain_broken')).stdout).toBe(
      'acknowledged chain_broken of flagged1\n',
    )
    expect((await get('/systems/flagged1')).flags.map(({ flag }: { flag: string }) => flag)).toEqual([
      'reboot_needed',
    ])
    expect(await cli.run('systems', 'acknowledge', 'flagged1', 'reboot_needed')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('reboot_needed ends by itself when its cause ends'),
    })
    expect((await cli.run('systems', 'acknowledge', 'flagged1', 'broken')).code).toBe(2)
  })
})

describe('systems keys', () => {
  test('add, list, revoke', async () => {
    const agent = await registerTestAgent(server, { hostname: 'keys1' })
    const key = newKey()
    expect(
      (await cli.run('systems', 'keys', 'add', 'keys1', '--public-key', encodeBase64(key.publicKey))).stdout,
    ).toBe(`added the key ${key.id} to keys1\n`)
    expect((await cli.run('systems', 'keys', 'revoke', 'keys1', agent.key.id)).stdout).toBe(
      `revoked the key ${agent.key.id} of keys1\n`,
    )
    const { stdout } = await cli.run('systems', 'keys', 'list', 'keys1')
    const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \((now|\d+ s ago)\)`
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^KEY ID +STATUS +FROM +ADDED +REVOKED$/),
      expect.stringMatching(new RegExp(`^${agent.key.id} +revoked +api or enrolment +${time} +${time}$`)),
      expect.stringMatching(new RegExp(`^${key.id} +active +api or enrolment +${time} +-$`)),
      '',
    ])
    expect((await cli.json('systems', 'keys', 'list', 'keys1')).keys).toMatchObject([
      { id: agent.key.id, status: 'revoked' },
      { id: key.id, status: 'active' },
    ])
  })

  test.each(['-V', '-h', '--'].map((start) => start.padEnd(43, 'x')))(
    'a key id that looks like an option is a key id: %s',
    async (id) => {
      expect(await cli.run('systems', 'keys', 'revoke', 'keys1', id)).toMatchObject({
        code: 1,
        stderr: `crystal-forge: There is no such thing: keys1 has no key ${id}\n`,
      })
      expect((await cli.run('systems', 'approve', 'keys1', '--key', id)).stderr).toContain(
        'waits for approval',
      )
    },
  )

  test('add wants the key in one way', async () => {
    for (const options of [[], ['--public-key', publicKey(), '--public-key-file', '/x']])
      expect(await cli.run('systems', 'keys', 'add', 'keys1', ...options)).toMatchObject({
        code: 2,
        stderr: 'crystal-forge: give the key with either --public-key or --public-key-file\n',
      })
  })
})

test.each([
  ['show', 'nope'],
  ['approve', 'nope'],
  ['archive', 'nope'],
  ['acknowledge', 'nope', 'chain_broken'],
  ['keys', 'list', 'nope'],
  ['keys', 'revoke', 'nope', 'x'],
])('systems %s of a system that is not there says so', async (...args) => {
  expect(await cli.run('systems', ...args)).toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'crystal-forge: There is no such thing: there is no system nope\n',
  })
})

test.each(['..', '.', ''])('"%s" is no name, and asks the server nothing', async (name) => {
  expect(await cli.run('systems', 'show', name)).toMatchObject({
    code: 2,
    stderr: `crystal-forge: "${name}" cannot be a name\n`,
  })
})
