import { expect, test } from 'vitest'
import { problemsOf } from '../../support/config.ts'

const KEY = 'Gu3mIlfaXViKSGWDQfyheFphCzc9EpzL8M5FzgylJ38='

const REFUSED: [name: string, toml: string, problem: string][] = [
  [
    'a database without host',
    '[database]\nuser = "me"',
    'database.user: has no effect without database.host: without it the server runs a PostgreSQL of its own',
  ],
  [
    'both password and password_file',
    '[database]\nhost = "db"\npassword = "x"\npassword_file = "/dev/null"',
    'database.password_file: excludes password: give one of them',
  ],
  [
    'a CA that nothing is checked against',
    '[database]\nhost = "db"\nssl = "require"\nca_file = "/etc/passwd"',
    'database.ca_file: has no effect unless ssl is "verify-full"',
  ],
  [
    'TLS over a socket',
    '[database]\nhost = "/run/postgresql"\nssl = "require"',
    'database.ssl: must be "disable" when host is a socket directory',
  ],
  [
    'TLS over a socket among several hosts',
    '[database]\nhost = "db,/run/postgresql"\nssl = "require"',
    'database.ssl: must be "disable" when host is a socket directory',
  ],
  [
    'a certificate without key',
    '[server]\ntls_cert_file = "/etc/passwd"',
    'server.tls_cert_file: needs tls_key_file too',
  ],
  [
    'a key without certificate',
    '[server]\ntls_key_file = "/etc/passwd"',
    'server.tls_key_file: needs tls_cert_file too',
  ],
  ['a client of no provider', '[oidc]\nclient_id = "forge"', 'oidc.client_id: has no effect without issuer'],
  [
    'groups of no provider',
    '[oidc]\nadmin_groups = ["infra"]',
    'oidc.admin_groups: has no effect without issuer',
  ],
  [
    'a provider that does not know us',
    '[server]\npublic_url = "https://f.example.org"\n[oidc]\nissuer = "https://id.example.org"\nadmin_groups = ["a"]',
    'oidc.issuer: needs client_id too',
  ],
  [
    'a provider that knows no way back',
    '[oidc]\nissuer = "https://id.example.org"\nclient_id = "forge"\nadmin_groups = ["a"]',
    'oidc.issuer: needs server.public_url too: the provider sends people back to it',
  ],
  [
    'a provider that lets nobody in',
    '[server]\npublic_url = "https://f.example.org"\n[oidc]\nissuer = "https://id.example.org"\nclient_id = "forge"',
    'oidc.issuer: needs groups, without which nobody gets in: one of viewer_groups, operator_groups, admin_groups',
  ],
  [
    'scopes without that of OpenID Connect',
    '[server]\npublic_url = "https://f.example.org"\n[oidc]\nissuer = "https://id.example.org"\nclient_id = "forge"\nadmin_groups = ["a"]\nscopes = ["profile"]',
    'oidc.scopes: must hold "openid"',
  ],
  [
    'a provider that is asked in the clear',
    '[oidc]\nissuer = "http://id.example.org"',
    'oidc.issuer: must begin with "https://"; only a provider on this machine may be without TLS',
  ],
  [
    'server_url and server_host',
    '[client]\nserver_url = "https://a"\nserver_host = "a"',
    'client.server_host: excludes server_url: give one of them',
  ],
  [
    'server_url and server_port',
    '[client]\nserver_url = "https://a"\nserver_port = 3000',
    'client.server_port: belongs into server_url when that is given',
  ],
  [
    'a CA without TLS',
    '[client]\nserver_host = "a"\nca_file = "/etc/passwd"',
    'client.ca_file: has no effect unless server_url begins with "https:"',
  ],
  [
    'late after offline',
    '[liveness]\nlate_after = "15m"\noffline_after = "15m"',
    'liveness.late_after: must be shorter than offline_after',
  ],
  [
    'two systems of one name',
    '[[systems]]\nhostname = "web"\n[[systems]]\nhostname = "WEB"',
    'systems[1].hostname: "WEB" is also the name in systems[0].hostname',
  ],
  [
    'two systems with one key',
    `[[systems]]\nhostname = "a"\npublic_key = "${KEY}"\n[[systems]]\nhostname = "b"\npublic_keys = ["${KEY}"]`,
    'systems[1].public_keys: the key is also given in systems[0].public_key',
  ],
  [
    'a flake twice',
    '[[flakes]]\nurl = "github:a/b"\n[[flakes]]\nurl = "github:a/b"',
    'flakes[1].url: is also given in flakes[0].url, with the same branch',
  ],
  [
    'a system of a repository with two branches',
    '[[flakes]]\nurl = "github:a/b"\n[[flakes]]\nurl = "github:a/b"\nbranch = "x"\n[[systems]]\nhostname = "a"\nflake_url = "github:a/b"',
    'systems[0].flake_url: names a repository of which several branches are declared',
  ],
]

test.each(REFUSED)('%s is refused', async (_name, toml, problem) => {
  expect(await problemsOf({ toml })).toContain(problem)
})

test('a password out of the environment replaces an empty one of the file', async () => {
  const toml = '[database]\nhost = "db"\npassword = ""'
  expect(
    await problemsOf({ toml, env: { CRYSTAL_FORGE__DATABASE__PASSWORD_FILE: '/etc/hostname' } }),
  ).toEqual([])
})

test('a socket directory needs no password and no TLS', async () => {
  expect(await problemsOf({ toml: '[database]\nhost = "/run/postgresql"' })).toEqual([])
})

test('an agent needs to know where the server is', async () => {
  const missing = ['client: needs server_url or server_host: where the server is']
  expect(await problemsOf({ part: 'agent' })).toEqual(missing)
  expect(await problemsOf({ part: 'all', toml: '[client]\nstate_dir = "/x"' })).toEqual(missing)
  expect(await problemsOf({ part: 'all' })).toEqual([])
  expect(await problemsOf({ part: 'server', toml: '[client]\nstate_dir = "/x"' })).toEqual([])
})

test('an evaluator of its own needs a database with a host', async () => {
  expect(await problemsOf({ part: 'evaluator' })).toEqual([
    'database.host: is missing: an evaluator in a process of its own cannot use the embedded PostgreSQL of a server',
  ])
  expect(await problemsOf({ part: 'evaluator', toml: '[database]\nhost = "db"' })).toEqual([])
})
