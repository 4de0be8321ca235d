import { expect, test } from 'vitest'
import { configOf, problemsOf } from '../../support/config.ts'

const KEY = 'Gu3mIlfaXViKSGWDQfyheFphCzc9EpzL8M5FzgylJ38='
const PATH = '/nix/store/00bgd045z0d4icpbc2yyz4gx48ak44la-nixos-system-server1'

const minimal = (derivation: string): string => `
[database]
host = "localhost"
user = "crystal_forge"
password = "password"
name = "crystal_forge"

[server]
host = "0.0.0.0"
port = 3000

[client]
server_host = "localhost"
server_port = 3000
private_key = "/var/lib/crystal_forge/host.key"

[[systems]]
hostname = "server1"
public_key = "${KEY}"
environment = "production"
flake_url = "git+https://github.com/yourorg/nixos-configs"
derivation = "${derivation}"
`

test.each(['server', 'agent', 'all'] as const)(
  'the minimal file of version 0.1 works for part %s',
  async (part) => {
    const config = await configOf({ toml: minimal(PATH), part })
    expect(config).toMatchObject({
      database: { host: 'localhost', port: 5432, user: 'crystal_forge', name: 'crystal_forge' },
      server: { host: '0.0.0.0', port: 3000 },
      client: { server_url: 'http://localhost:3000', private_key: '/var/lib/crystal_forge/host.key' },
      systems: [
        {
          hostname: 'server1',
          configuration: 'server1',
          public_keys: [KEY],
          environment: 'production',
          flake_url: 'git+https://github.com/yourorg/nixos-configs',
          derivation: PATH,
        },
      ],
    })
    expect(config.database?.password?.reveal()).toBe('password')
  },
)

test('it works without a key and an environment', async () => {
  const toml = minimal(PATH).replace(/^(public_key|environment).*\n/gm, '')
  expect((await configOf({ toml })).systems).toMatchObject([{ public_keys: [], environment: null }])
})

test('its "..." is an error that says what to do', async () => {
  expect(await problemsOf({ toml: minimal('/nix/store/...-nixos-system-server1') })).toEqual([
    'systems[0].derivation: must be a store path, "/nix/store/<32 characters>-<name>", not ' +
      '"/nix/store/...-nixos-system-server1"; "..." stands for the hash, put the real one there',
  ])
})

test("the server's variables of version 0.1 work", async () => {
  const config = await configOf({
    env: {
      CRYSTAL_FORGE__DATABASE__HOST: 'localhost',
      CRYSTAL_FORGE__DATABASE__USER: 'crystal_forge',
      CRYSTAL_FORGE__DATABASE__PASSWORD: 'password',
      CRYSTAL_FORGE__DATABASE__NAME: 'crystal_forge',
      CRYSTAL_FORGE__SERVER__HOST: '0.0.0.0',
      CRYSTAL_FORGE__SERVER__PORT: '3000',
    },
  })
  expect(config).toMatchObject({
    database: { host: 'localhost', user: 'crystal_forge', name: 'crystal_forge' },
    server: { host: '0.0.0.0', port: 3000 },
  })
  expect(config.database?.password?.reveal()).toBe('password')
})

test("the agent's variables of version 0.1 work", async () => {
  const config = await configOf({
    part: 'agent',
    env: {
      CRYSTAL_FORGE__CLIENT__SERVER_HOST: 'localhost',
      CRYSTAL_FORGE__CLIENT__SERVER_PORT: '3000',
      CRYSTAL_FORGE__CLIENT__PRIVATE_KEY: '/var/lib/crystal_forge/host.key',
    },
  })
  expect(config.client).toMatchObject({
    server_url: 'http://localhost:3000',
    private_key: '/var/lib/crystal_forge/host.key',
  })
})
