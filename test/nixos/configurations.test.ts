import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { evaluateConfiguration, type Evaluated, exampleConfiguration, ROOT } from './support/nix.ts'
import { unitFile } from './support/unit-file.ts'

/** The file that a unit is configured with, and what `check-config` says of it when the system is built. */
async function configOf(evaluated: Evaluated, unit: string) {
  const text = await evaluated.read(evaluated.services[unit]!.environment['CONFIG_PATH']!)
  const cwd = await temporaryDirectory()
  await writeFile(join(cwd, 'config.toml'), text)
  const { code, stderr } = await runCli(['check-config', '--part', 'none'], { cwd })
  return { text, check: { code, stderr } }
}

const GOOD = { code: 0, stderr: '' }

test('an agent takes twelve lines at most, and has an environment with what it needs and no more', async () => {
  const text = await exampleConfiguration('agent')
  expect(text.trim().split('\n').length).toBeLessThanOrEqual(12)
  const { failed, services, users, tmpfiles } = await evaluateConfiguration(text)
  expect(failed).toEqual([])
  expect(Object.keys(services)).toEqual(['crystal-forge-agent'])
  const agent = services['crystal-forge-agent']!
  process.stdout.write(`\n${unitFile(agent)}`)
  expect(agent.environment).toEqual({
    CONFIG_PATH: '/dev/null',
    CRYSTAL_FORGE__CLIENT__SERVER_URL: 'https://forge.example.org',
    CRYSTAL_FORGE__CLIENT__ENROLLMENT_TOKEN_FILE:
      '/run/credentials/crystal-forge-agent.service/client.enrollment_token_file',
  })
  expect(agent.serviceConfig).toMatchObject({
    Type: 'notify',
    NotifyAccess: 'all',
    WatchdogSec: '3min',
    Restart: 'always',
    User: 'crystal_forge_agent',
    StateDirectory: 'crystal_forge',
    CapabilityBoundingSet: '',
    LoadCredential: ['client.enrollment_token_file:/run/secrets/crystal-forge-enrollment'],
  })
  expect(agent).toMatchObject({
    stopIfChanged: false,
    wantedBy: ['multi-user.target'],
    after: ['network-online.target'],
  })
  expect(agent.path.some((path) => path.endsWith('-systemd'))).toBe(true)
  expect(users).toMatchObject({ crystal_forge_agent: { isSystemUser: true, group: 'crystal_forge_agent' } })
  expect(tmpfiles).toContain('z /sys/devices/virtual/dmi/id/product_uuid 0440 root crystal_forge_agent - -')
})

test('the environment of an agent is checked when the system is built', async () => {
  const { checks } = await evaluateConfiguration(await exampleConfiguration('agent'))
  expect(checks).toHaveLength(1)
  const cwd = await temporaryDirectory()
  const lines = [...checks[0]!.matchAll(/^export (\w+)='?(.*?)'?$/gm)]
  const env = Object.fromEntries(lines.map(([, name, value]) => [name!, value!]))
  expect(Object.keys(env)).toHaveLength(2)
  expect(await runCli(['check-config', '--part', 'none'], { cwd, env })).toMatchObject(GOOD)
  expect(checks[0]).toContain('crystal-forge check-config --part none')
})

describe('a server with evaluator in thirty lines', async () => {
  const text = await exampleConfiguration('server')

  test('has units with files of their own, each with the secrets of its own', async () => {
    expect(text.trim().split('\n').length).toBeLessThanOrEqual(30)
    const evaluated = await evaluateConfiguration(text)
    const { failed, services, etc } = evaluated
    expect(failed).toEqual([])
    expect(Object.keys(services)).toEqual(['crystal-forge-evaluator', 'crystal-forge-server'])
    const [server, evaluator] = [services['crystal-forge-server']!, services['crystal-forge-evaluator']!]
    process.stdout.write(`\n${unitFile(server)}\n${unitFile(evaluator)}`)

    const serverFile = await configOf(evaluated, 'crystal-forge-server')
    process.stdout.write(`\n${serverFile.text}`)
    expect(serverFile.check).toEqual(GOOD)
    expect(serverFile.text).toMatchInlineSnapshot(`
      "[database]
      host = "/run/postgresql"

      [[flakes]]
      branch = "main"
      url = "git+ssh://git@git.example.org/infra/nixos-configs"

      [retention]
      reports = "800d"

      [server]
      evaluate = false
      host = "127.0.0.1"
      metrics_listen = "127.0.0.1:9464"
      public_url = "https://forge.example.org"
      trusted_proxies = ["127.0.0.1/32"]
      webhook_secret_files = ["/run/credentials/crystal-forge-server.service/server.webhook_secret_files.0"]

      [[systems]]
      environment = "production"
      hostname = "web1"

      [[systems]]
      environment = "production"
      hostname = "web2"
      "
    `)
    expect(server.serviceConfig['LoadCredential']).toEqual([
      'server.webhook_secret_files.0:/run/secrets/crystal-forge-webhook',
    ])
    expect(etc['crystal-forge/config.toml']?.source).toBe(server.environment['CONFIG_PATH'])

    const evaluatorFile = await configOf(evaluated, 'crystal-forge-evaluator')
    process.stdout.write(`\n${evaluatorFile.text}`)
    expect(evaluatorFile.check).toEqual(GOOD)
    expect(evaluatorFile.text).toMatchInlineSnapshot(`
      "[database]
      host = "/run/postgresql"

      [evaluator]
      memory_budget = "16GiB"

      [[flakes]]
      branch = "main"
      known_hosts_file = "/run/credentials/crystal-forge-evaluator.service/flakes.0.known_hosts_file"
      ssh_key_file = "/run/credentials/crystal-forge-evaluator.service/flakes.0.ssh_key_file"
      url = "git+ssh://git@git.example.org/infra/nixos-configs"
      "
    `)
    expect(evaluator.serviceConfig['LoadCredential']).toEqual([
      'flakes.0.known_hosts_file:/etc/ssh/ssh_known_hosts',
      'flakes.0.ssh_key_file:/run/secrets/crystal-forge-deploy-key',
    ])
    expect(evaluator.environment).toMatchObject({ NIX_REMOTE: 'daemon' })
    // setpriv, which starts each evaluation, fails without it; the last word counts
    expect(evaluator.serviceConfig['SystemCallFilter']).toEqual([
      '@system-service',
      '@pkey',
      '~@privileged',
      'capset',
    ])
    // 16 GiB for evaluations, one for the rest
    expect(evaluator.serviceConfig['MemoryMax']).toBe(String(17 * 2 ** 30))
  })

  test('has a PostgreSQL whose one role both users are', async () => {
    const { postgresql, services } = await evaluateConfiguration(text)
    expect(postgresql).toEqual({
      enable: true,
      ensureDatabases: ['crystal_forge'],
      ensureUsers: [{ name: 'crystal_forge', ensureDBOwnership: true }],
      identMap: expect.stringContaining('crystal_forge crystal_forge_evaluator crystal_forge\n'),
      authentication: 'local crystal_forge crystal_forge peer map=crystal_forge\n',
    })
    for (const service of Object.values(services)) expect(service.after).toContain('postgresql.service')
  })

  test('keeps its port closed unless told otherwise', async () => {
    expect((await evaluateConfiguration(text)).ports).toEqual([])
    const open = text.replace('host = "127.0.0.1"', 'host = "0.0.0.0"; openFirewall = true')
    expect((await evaluateConfiguration(open)).ports).toEqual([3000])
  })
})

test("the configuration of version 0.1's README works as it is", async () => {
  const evaluated = await evaluateConfiguration(await exampleConfiguration('version-0.1'))
  const { failed, services } = evaluated
  expect(failed).toEqual([])
  expect(services['crystal-forge-agent']!.environment).toEqual({
    CONFIG_PATH: '/dev/null',
    CRYSTAL_FORGE__CLIENT__SERVER_HOST: 'localhost',
    // In the state directory of the agent, which reads it there and makes it there.
    CRYSTAL_FORGE__CLIENT__PRIVATE_KEY: '/var/lib/crystal_forge/host.key',
  })
  expect(services['crystal-forge-agent']!.serviceConfig['LoadCredential']).toEqual([])
  const { text, check } = await configOf(evaluated, 'crystal-forge-server')
  expect(check).toEqual(GOOD)
  expect(text).toMatchInlineSnapshot(`
    "[database]
    host = "localhost"
    password_file = "/run/credentials/crystal-forge-server.service/database.password_file"

    [server]
    evaluate = false

    [[systems]]
    derivation = "/nix/store/00bgd045z0d4icpbc2yyz4gx48ak44la-nixos-system-server1"
    environment = "production"
    flake_url = "git+https://github.com/yourorg/nixos-configs"
    hostname = "server1"
    public_key = "Gu3mIlfaXViKSGWDQfyheFphCzc9EpzL8M5FzgylJ38="
    "
  `)
  for (const unit of ['crystal-forge-server', 'crystal-forge-evaluator']) {
    expect(services[unit]!.serviceConfig['LoadCredential']).toEqual([
      'database.password_file:/run/secrets/crystal-forge-database',
    ])
  }
})

test('a server does not evaluate where told not to', async () => {
  const { services } = await evaluateConfiguration(
    '{ enable = true; database.createLocally = true; server = { enable = true; evaluate = false; }; }',
  )
  expect(Object.keys(services)).toEqual(['crystal-forge-server'])
})

test('an evaluator can run alone', async () => {
  const { failed, services } = await evaluateConfiguration(
    '{ enable = true; database.host = "db.example.org"; evaluator.enable = true; }',
  )
  expect(failed).toEqual([])
  expect(Object.keys(services)).toEqual(['crystal-forge-evaluator'])
})

test('a key outside of the state directory comes as a credential, whatever characters its path has', async () => {
  const { services } = await evaluateConfiguration(
    '{ enable = true; client = { enable = true; server_host = "h"; private_key = "/run/keys/a%b key"; }; }',
  )
  const { environment, serviceConfig } = services['crystal-forge-agent']!
  expect(environment['CRYSTAL_FORGE__CLIENT__PRIVATE_KEY']).toBe(
    '/run/credentials/crystal-forge-agent.service/client.private_key',
  )
  expect(serviceConfig['LoadCredential']).toEqual(['client.private_key:/run/keys/a%%b key'])
})

test('a low port costs the server one capability', async () => {
  const { services } = await evaluateConfiguration(
    '{ enable = true; database.createLocally = true; server = { enable = true; port = 443; }; }',
  )
  expect(services['crystal-forge-server']!.serviceConfig).toMatchObject({
    AmbientCapabilities: 'CAP_NET_BIND_SERVICE',
    CapabilityBoundingSet: 'CAP_NET_BIND_SERVICE',
    PrivateUsers: false,
  })
})

test('nothing is changed where it is not enabled', async () => {
  const { services, users, failed, tmpfiles } = await evaluateConfiguration(
    '{ server.enable = true; client.enable = true; }',
  )
  expect({ services, users, failed, tmpfiles }).toEqual({ services: {}, users: {}, failed: [], tmpfiles: [] })
})

test('the examples of the configurations are those of the documentation', async () => {
  const docs = await readFile(join(ROOT, 'docs/nixos.md'), 'utf8')
  const shown = docs.replaceAll(/^ +/gm, '')
  for (const name of ['agent', 'server']) {
    const lines = (await exampleConfiguration(name)).replaceAll(/^ +/gm, '').trim()
    expect(shown).toContain(lines)
  }
})
