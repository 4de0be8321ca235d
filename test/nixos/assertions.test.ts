import { describe, expect, test } from 'vitest'
import { evaluateConfiguration, failedAssertions } from './support/nix.ts'

const server = (more: string): string =>
  `{ enable = true; server.enable = true; database.host = "db.example.org"; ${more} }`
const client = (more: string): string =>
  `{ enable = true; client = { enable = true; server_url = "https://f.example.org"; private_key = "/k"; ${more} }; }`

const KEY = '"Gu3mIlfaXViKSGWDQfyheFphCzc9EpzL8M5FzgylJ38="'

const CONTRADICTIONS: readonly [name: string, configuration: string, message: RegExp][] = [
  ['nothing to do', '{ enable = true; }', /enable does nothing by itself/],
  ['no database', '{ enable = true; server.enable = true; }', /database\.host is missing/],
  [
    'a password for the local database',
    '{ enable = true; server.enable = true; database = { createLocally = true; password_file = "/p"; }; }',
    /password_file excludes/,
  ],
  ['a host beside the local database', server('database.createLocally = true;'), /database\.host excludes/],
  [
    'a database that is not named like its role',
    '{ enable = true; server.enable = true; database = { createLocally = true; name = "a"; }; }',
    /must be the same/,
  ],
  [
    'a port of the local database',
    '{ enable = true; server.enable = true; database = { createLocally = true; port = 1; }; }',
    /database\.port excludes/,
  ],
  [
    'certificates for a database without their check',
    server('database.ca_file = "/ca";'),
    /database\.ca_file has no effect/,
  ],
  [
    'TLS to a socket',
    '{ enable = true; server.enable = true; database = { host = "/run/p"; ssl = "require"; }; }',
    /must be "disable"/,
  ],
  ['a certificate without key', server('server.tls_cert_file = "/c";'), /needs server\.tls_key_file/],
  ['a key without certificate', server('server.tls_key_file = "/k";'), /needs server\.tls_cert_file/],
  [
    'an open port that only this machine reaches',
    server('server.openFirewall = true; server.host = "127.0.0.1";'),
    /openFirewall has no effect/,
  ],
  [
    'an open port that is not known',
    server('server.openFirewall = true; server.port = 0;'),
    /0 takes a free one/,
  ],
  [
    'late after offline',
    server('liveness.late_after = "1h"; liveness.offline_after = "30m";'),
    /late_after must be shorter/,
  ],
  [
    'no server',
    '{ enable = true; client = { enable = true; private_key = "/k"; }; }',
    /client\.server_url is missing/,
  ],
  ['two servers', client('server_host = "h";'), /server_host excludes/],
  ['a port beside an address', client('server_port = 80;'), /server_port belongs/],
  [
    'certificates without TLS',
    '{ enable = true; client = { enable = true; private_key = "/k"; server_host = "h"; ca_file = "/c"; }; }',
    /client\.ca_file has no effect/,
  ],
  [
    'no key and no token',
    '{ enable = true; client = { enable = true; server_host = "h"; }; }',
    /client\.private_key is missing/,
  ],
  ['state elsewhere', client('state_dir = "/srv/agent";'), /client\.state_dir must be below/],
  ['shared state', server('server.state_dir = "/var/lib/crystal_forge_evaluator";'), /must differ/],
  ['a host twice', server('systems = [ { hostname = "a"; } { hostname = "A"; } ];'), /names "a" twice/],
  [
    'a public key twice',
    server(
      `systems = [ { hostname = "a"; public_key = ${KEY}; } { hostname = "b"; public_keys = [ ${KEY} ]; } ];`,
    ),
    /public key Gu3.* twice/,
  ],
  [
    'a flake twice',
    server('flakes = [ { url = "git+https://a/b"; } { url = "git+https://a/b"; } ];'),
    /git\+https:\/\/a\/b twice/,
  ],
  [
    'a configuration without flake',
    server('systems = [ { hostname = "a"; configuration = "b"; } ];'),
    /no effect without its flake_url/,
  ],
  [
    'a system of several branches',
    server(
      'flakes = [ { url = "u"; } { url = "u"; branch = "b"; } ]; systems = [ { hostname = "a"; flake_url = "u"; } ];',
    ),
    /several branches/,
  ],
  [
    'a provider without client',
    server(
      'oidc = { issuer = "https://id"; admin_groups = [ "a" ]; }; server.public_url = "https://f.example.org";',
    ),
    /oidc\.issuer needs oidc\.client_id/,
  ],
  [
    'a provider with no way back',
    server('oidc = { issuer = "https://id"; client_id = "f"; admin_groups = [ "a" ]; };'),
    /oidc\.issuer needs server\.public_url/,
  ],
  [
    'a provider that lets nobody in',
    server(
      'oidc = { issuer = "https://id"; client_id = "f"; }; server.public_url = "https://f.example.org";',
    ),
    /oidc\.issuer needs groups/,
  ],
  ['a client without provider', server('oidc.client_id = "f";'), /oidc\.client_id has no effect/],
  [
    'the secret of a client in the store',
    server(
      'oidc = { issuer = "https://id"; client_id = "f"; client_secret_file = "/nix/store/x"; admin_groups = [ "a" ]; }; server.public_url = "https://f.example.org";',
    ),
    /client_secret_file must not be in the store/,
  ],
  [
    'a secret in the store',
    client('enrollment_token_file = "/nix/store/x-token";'),
    /enrollment_token_file must not be in the store/,
  ],
  [
    'a key in the store',
    '{ enable = true; client = { enable = true; server_host = "h"; private_key = "/nix/store/x-key"; }; }',
    /private_key must not be in the store/,
  ],
  [
    'a secret of a flake in the store',
    server('flakes = [ { url = "u"; netrc_file = "/nix/store/x"; } ];'),
    /netrc_file must not be in the store/,
  ],
  [
    'secrets of webhooks in the store',
    server('server.webhook_secret_files = [ "/run/a" "/nix/store/x" ];'),
    /webhook_secret_files must not/,
  ],
]

describe('a contradiction is said when the configuration is evaluated', async () => {
  const failed = await failedAssertions(CONTRADICTIONS.map(([, configuration]) => configuration))
  test.each(CONTRADICTIONS.map(([name, , message], index) => [name, message, failed[index]!] as const))(
    '%s',
    (_name, message, messages) => {
      expect(messages).toEqual([expect.stringMatching(message)])
      expect(messages[0]).toMatch(/^services\.crystal-forge\./)
    },
  )
})

test('an evaluator asks for the daemon of Nix', async () => {
  const failed = await failedAssertions([`{ nix.enable = false; services.crystal-forge = ${server('')}; }`])
  expect(failed).toEqual([[expect.stringContaining('needs nix.enable')]])
})

const WRONG_VALUES: readonly [name: string, configuration: string, message: RegExp][] = [
  [
    'a path of Nix for a secret: it would be copied into the store',
    client('enrollment_token_file = ./package.json;'),
    /enrollment_token_file.*is not of type/s,
  ],
  ['a relative path', client('enrollment_token_file = "token";'), /is not of type/],
  ['a port that is none', server('server.port = 70000;'), /server\.port.*is not of type/s],
  ['a duration without unit', server('evaluator.timeout = "10";'), /evaluator\.timeout.*is not of type/s],
  ['a size without unit', server('evaluator.memory_budget = 8;'), /memory_budget.*is not of type/s],
  [
    'a password: it would be in the store',
    server('database.password = "x";'),
    /database\.password.*does not exist/s,
  ],
  ['an option that is none', server('server.prot = 1;'), /server\.prot.*does not exist/s],
]

test.each(WRONG_VALUES)('no option takes %s', async (_name, configuration, message) => {
  await expect(evaluateConfiguration(configuration)).rejects.toThrow(message)
})
