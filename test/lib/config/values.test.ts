import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { databasePlaces } from '../../../src/lib/config/network-kinds.ts'
import { STORE_PATH } from '../../../src/lib/config/value-kinds.ts'
import { STORE_PATH_PATTERN } from '../../../src/protocol/store-path.ts'
import { configOf, problemsOf } from '../../support/config.ts'

const WRONG: [key: string, toml: string, message: string][] = [
  ['server.port', '"3000"', 'must be a whole number from 0 to 65535, not "3000"'],
  ['server.port', '65536', 'must be a whole number from 0 to 65535, not 65536'],
  ['server.port', '1.5', 'must be a whole number from 0 to 65535, not 1.5'],
  ['server.port', '[1]', 'must be a whole number from 0 to 65535, not a list'],
  ['server.port', '2026-11-23', 'must be a whole number from 0 to 65535, not a date'],
  ['server.host', '3000', 'must be a host name or an IP address, written as text in quotes'],
  ['server.host', '""', 'must not be empty'],
  [
    'server.host',
    '"http://x"',
    'must be a host name or an IP address, without scheme, port or path, not "http://x"',
  ],
  ...['fe80::1%eth0', '0.0000010000000000000002'].map((text): [string, string, string] => [
    'client.server_host',
    JSON.stringify(text),
    `must be a host name or an IP address that a URL can name, not "${text}"`,
  ]),
  ['server.evaluate', '"yes"', 'must be true or false, not "yes"'],
  ['server.authorities', '"a"', 'must be a list, such as ["a", "b"]'],
  [
    'server.authorities',
    '["a", "b/c"]',
    'item 2 must be a Host name such as "forge.example.org" or "192.0.2.1:3000", not "b/c"',
  ],
  [
    'server.trusted_proxies',
    '["10.0.0.0/33"]',
    'item 1 must be an address range such as "10.0.0.0/8" or "2001:db8::/32", not "10.0.0.0/33"',
  ],
  [
    'server.trusted_proxies',
    '["proxy"]',
    'item 1 must be an address range such as "10.0.0.0/8" or "2001:db8::/32", not "proxy"',
  ],
  [
    'server.metrics_listen',
    '"9464"',
    'must be an address and a port such as "127.0.0.1:9464" or "[::1]:9464", not "9464"',
  ],
  ['server.public_url', '"forge.example.org"', 'must be an origin such as "https://forge.example.org"'],
  [
    'server.public_url',
    '"https://forge.example.org/app"',
    'must be an origin such as "https://forge.example.org", without path, query and fragment',
  ],
  [
    'server.state_dir',
    '"state"',
    'must be a path that starts with "/" or "./" (the value is not shown: it could be a secret)',
  ],
  ['liveness.late_after', '180', 'must be a duration from 1s to 30d, such as "1s", not 180'],
  [
    'liveness.late_after',
    '"3 minutes"',
    'must be a whole number and a unit (ms, s, m, h or d), such as "60s", "5m" or "400d", not "3 minutes"',
  ],
  ['liveness.heartbeat_interval', '"9s"', 'must be a duration from 10s to 1h, not "9s"'],
  ['evaluator.memory_budget', '"1KiB"', 'must be a size from 256MiB to 16TiB, not "1KiB"'],
  [
    'database.host',
    '"http://db"',
    'must be a host name or an IP address, with or without a port, or the absolute path of a socket directory, not "http://db"',
  ],
  [
    'database.host',
    '"db1, db2"',
    'must be a host name or an IP address, with or without a port, or the absolute path of a socket directory, and several with commas between them, not " db2"',
  ],
  ['database.ssl', '"prefer"', 'must be one of "disable", "require", "verify-full", not "prefer"'],
]

test.each(WRONG)('%s = %s is refused', async (path, value, message) => {
  const [section, key] = path.split('.')
  expect(await problemsOf({ toml: `[${section}]\n${key} = ${value}` })).toContainEqual(`${path}: ${message}`)
})

const WRONG_IN_TABLES: [key: string, toml: string, message: string][] = [
  ['systems[0].hostname', '', 'is missing'],
  ['systems[0].hostname', 'hostname = "a b"', 'must be a host name, not "a b"'],
  [
    'systems[0].derivation',
    'hostname = "a"\nderivation = "/nix/store/00bgd045z0d4icpbc2yyz4gx48ak44la-x.drv"',
    'must be the path of a built system, not of its .drv file: a machine never runs a .drv file',
  ],
  ['systems[0].configuration', 'hostname = "a"\nconfiguration = "a"', 'has no effect without flake_url'],
]

test.each(WRONG_IN_TABLES)('%s is refused in [[systems]] with %j', async (path, toml, message) => {
  expect(await problemsOf({ toml: `[[systems]]\n${toml}` })).toEqual([`${path}: ${message}`])
})

test.each([
  'AAAA',
  'Gu3mIlfaXViKSGWDQfyheFphCzc9EpzL8M5FzgylJ38',
  'Gu3mIlfaXViKSGWDQfyheFphCzc9EpzL8M5FzgylJ39=',
  'Gu3mIlfaXViKSGWDQfyheFphCzc9EpzL8M5FzgylJ38=\\n',
])('the public key %j is refused without being shown', async (key) => {
  const [problem, ...others] = await problemsOf({
    toml: `[[systems]]\nhostname = "a"\npublic_keys = ["${key}"]`,
  })
  expect(others).toEqual([])
  expect(problem).toMatch(/^systems\[0\]\.public_keys: item 1 must be a raw Ed25519 public key/)
  expect(problem).not.toContain(key)
})

test('public_key and public_keys are one list', async () => {
  const [one, two] = ['Gu3mIlfaXViKSGWDQfyheFphCzc9EpzL8M5FzgylJ38=', `${'A'.repeat(43)}=`]
  const { systems } = await configOf({
    toml: `[[systems]]\nhostname = "a"\npublic_key = "${one}"\npublic_keys = ["${two}"]`,
  })
  expect(systems[0]?.public_keys).toEqual([one, two])
})

test.each([
  'git+https://github.com/yourorg/nixos-configs',
  'https://github.com/yourorg/nixos-configs.git',
  'git+ssh://git@github.com/yourorg/nixos-configs?dir=hosts',
  'git@github.com:yourorg/nixos-configs.git',
  'github:yourorg/nixos-configs',
  'git+file:///srv/git/configs',
  '/srv/git/configs',
])('the flake %s is accepted', async (url) => {
  expect((await configOf({ toml: `[[flakes]]\nurl = "${url}"` })).flakes).toMatchObject([{ url }])
})

test.each([
  'https://user:hunter2@github.com/yourorg/configs',
  'git+https://hunter2@github.com/yourorg/configs',
  'ssh://git:hunter2@github.com/yourorg/configs',
  'https://git.example.org/configs?access_token=hunter2',
])('the flake %s is refused for its credentials, which are not shown', async (url) => {
  const [problem] = await problemsOf({ toml: `[[flakes]]\nurl = "${url}"` })
  expect(problem).toBe(
    'flakes[0].url: must not hold a user name, password or token: use ssh_key_file, netrc_file or access_tokens_file',
  )
})

test.each(['--upload-pack=x', 'a b', ''])('the flake %j is refused', async (url) => {
  expect(await problemsOf({ toml: `[[flakes]]\nurl = "${url}"` })).toHaveLength(1)
})

test.each(['main', 'release/25.11', 'feature-1', '@a', 'ü', 'HEAD-1'])(
  'the branch %s is accepted',
  async (branch) => {
    const toml = `[[flakes]]\nurl = "github:a/b"\nbranch = "${branch}"`
    expect((await configOf({ toml })).flakes).toMatchObject([{ branch }])
  },
)

test.each([
  'HEAD',
  '-x',
  'a..b',
  'a b',
  'a/',
  '/a',
  'a.lock',
  'a.lock/b',
  '.a',
  'a/.b',
  'a@{1}',
  'a^',
  'a:b',
  'a.',
])('the branch %j is refused', async (branch) => {
  const toml = `[[flakes]]\nurl = "github:a/b"\nbranch = "${branch}"`
  expect(await problemsOf({ toml })).toEqual([expect.stringContaining('flakes[0].branch: must be a branch')])
})

test("the pattern of store paths is the protocol's", () => {
  expect(STORE_PATH.source.replaceAll('\\/', '/')).toBe(STORE_PATH_PATTERN)
})

test('any text in place of any value gives a configuration or a ConfigError', async () => {
  const keys = [
    'SERVER__PUBLIC_URL',
    'SERVER__AUTHORITIES',
    'SERVER__TRUSTED_PROXIES',
    'SERVER__METRICS_LISTEN',
    'CLIENT__SERVER_URL',
    'CLIENT__SERVER_HOST',
    'CLIENT__PRIVATE_KEY',
    'EVALUATOR__TIMEOUT',
    'SYSTEMS',
    'FLAKES',
  ]
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.webUrl(), fc.ipV6())
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...keys), text, async (key, value) => {
      for (const problem of await problemsOf({ env: { [`CRYSTAL_FORGE__${key}`]: value }, cwd: '/' })) {
        expect(problem).toMatch(/^\S.*: \S+/)
      }
    }),
    { numRuns: 500 },
  )
})

test('hosts of databases may name their ports, and be several', async () => {
  const { database } = await configOf({ toml: '[database]\nhost = "db1,db2:5433,[::1]:5434,::1,/run/pg"' })
  expect(databasePlaces(database?.host ?? '', 5432)).toEqual([
    { host: 'db1', port: 5432 },
    { host: 'db2', port: 5433 },
    { host: '::1', port: 5434 },
    { host: '::1', port: 5432 },
    { host: '/run/pg', port: 5432 },
  ])
})
