import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from '../../../src/lib/config/load.ts'
import { configOf, errorOf } from '../../support/config.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

test('without file and variables there are defaults', async () => {
  const config = await configOf({})
  expect(config).toMatchObject({
    file: null,
    database: null,
    max_connections: 10,
    client: null,
    server: { host: '0.0.0.0', port: 3000, public_url: null, evaluate: true, webhook_secrets: [] },
    evaluator: { workers: 2, memory_budget: 8 * 1024 ** 3, timeout: 600_000, poll_interval: 300_000 },
    liveness: { heartbeat_interval: 60_000, late_after: 180_000, offline_after: 900_000 },
    retention: { reports: 34_560_000_000, online_periods: 34_560_000_000 },
    flakes: [],
    systems: [],
  })
})

/** Files that set the port to 1 in the working directory and to 2 in the system's place. */
async function twoFiles(): Promise<{ cwd: string; local: string; systemFile: string }> {
  const cwd = await temporaryDirectory()
  const [local, systemFile] = [join(cwd, 'config.toml'), join(cwd, 'etc', 'config.toml')]
  await mkdir(join(cwd, 'etc'))
  await writeFile(local, '[server]\nport = 1')
  await writeFile(systemFile, '[server]\nport = 2')
  return { cwd, local, systemFile }
}

test('the file that CONFIG_PATH names comes first, from the working directory when it is relative', async () => {
  const { cwd, systemFile } = await twoFiles()
  const config = loadConfig({ env: { CONFIG_PATH: 'etc/config.toml' }, cwd, part: 'server', systemFile })
  expect(config).toMatchObject({ file: systemFile, server: { port: 2 } })
})

test('config.toml of the working directory comes before that of the system', async () => {
  const { cwd, local, systemFile } = await twoFiles()
  const config = loadConfig({ env: { CONFIG_PATH: '' }, cwd, part: 'server', systemFile })
  expect(config).toMatchObject({ file: local, server: { port: 1 } })
})

test('the file of the system is read when there is no other', async () => {
  const { systemFile } = await twoFiles()
  const config = loadConfig({ env: {}, cwd: await temporaryDirectory(), part: 'server', systemFile })
  expect(config).toMatchObject({ file: systemFile, server: { port: 2 } })
})

test('a CONFIG_PATH that is not there is an error, not a fall-back', async () => {
  const error = await errorOf({ toml: '', env: { CONFIG_PATH: '/nonexistent/config.toml' } })
  expect(error?.message).toBe(
    'configuration: /nonexistent/config.toml: CONFIG_PATH names it, but there is no such file',
  )
})

test('a file that cannot be read is an error that names it', async () => {
  const cwd = await temporaryDirectory()
  await mkdir(join(cwd, 'config.toml'))
  expect((await errorOf({ cwd }))?.message).toBe(`configuration: ${cwd}/config.toml: cannot be read (EISDIR)`)
})

test('a file that is not TOML is an error with its place', async () => {
  const error = await errorOf({ toml: '[server]\nport = = 1\n' })
  expect(error?.message).toMatch(
    /^configuration: \/.*\/config\.toml: line 2, column 8: is not valid TOML: invalid value$/,
  )
})

test('variables override the file, key by key', async () => {
  const config = await configOf({
    toml: '[server]\nhost = "127.0.0.1"\nport = 1\n[evaluator]\nworkers = 3',
    env: { CRYSTAL_FORGE__SERVER__PORT: '2', CRYSTAL_FORGE__LIVENESS__LATE_AFTER: '5m' },
  })
  expect(config).toMatchObject({
    server: { host: '127.0.0.1', port: 2 },
    evaluator: { workers: 3 },
    liveness: { late_after: 300_000 },
  })
})

test('variables hold texts, whole numbers, booleans, lists and arrays of tables', async () => {
  const config = await configOf({
    toml: '[[systems]]\nhostname = "file"',
    env: {
      CRYSTAL_FORGE__SERVER__ANONYMOUS_READ: 'true',
      CRYSTAL_FORGE__SERVER__AUTHORITIES: 'Forge.example.org, forge.internal:3000',
      CRYSTAL_FORGE__SERVER__TRUSTED_PROXIES: '["10.0.0.0/8", "2001:db8::1"]',
      CRYSTAL_FORGE__SYSTEMS:
        '[{"hostname": "web1"}, {"hostname": "web2", "flake_url": "github:a/b", "configuration": "web"}]',
      CRYSTAL_FORGE__FLAKES: '[{"url": "github:yourorg/configs", "search_depth": 5}]',
      CRYSTAL_FORGE__EVALUATOR__MEMORY_BUDGET: '1GiB',
    },
  })
  expect(config).toMatchObject({
    server: {
      anonymous_read: true,
      authorities: ['forge.example.org', 'forge.internal:3000'],
      trusted_proxies: ['10.0.0.0/8', '2001:db8::1/128'],
    },
    systems: [
      { hostname: 'web1', configuration: 'web1' },
      { hostname: 'web2', configuration: 'web' },
    ],
    flakes: [{ url: 'github:yourorg/configs', search_depth: 5, branch: null }],
    evaluator: { memory_budget: 1024 ** 3 },
  })
})

test('an empty variable unsets what the file sets', async () => {
  const config = await configOf({
    toml: '[server]\npublic_url = "https://forge.example.org"\nauthorities = ["a"]',
    env: { CRYSTAL_FORGE__SERVER__PUBLIC_URL: '', CRYSTAL_FORGE__SERVER__AUTHORITIES: '' },
  })
  expect(config.server).toMatchObject({ public_url: null, authorities: [] })
})

test('relative paths start at the directory of the file, and in variables at the working directory', async () => {
  const { cwd, systemFile } = await twoFiles()
  await writeFile(
    systemFile,
    '[client]\nserver_host = "forge"\nprivate_key = "./host.key"\nrootfs = "../root"',
  )
  const env = { CONFIG_PATH: systemFile, CRYSTAL_FORGE__CLIENT__STATE_DIR: './state' }
  const { client } = loadConfig({ env, cwd, part: 'agent' })
  expect(client).toMatchObject({
    private_key: join(cwd, 'etc', 'host.key'),
    rootfs: join(cwd, 'root'),
    state_dir: join(cwd, 'state'),
  })
})

async function urlOf(toml: string): Promise<string | undefined> {
  return (await configOf({ toml: `[client]\n${toml}`, part: 'agent' })).client?.server_url
}

test('the address of the server is made of host and port', async () => {
  expect(await urlOf('server_host = "Localhost"')).toBe('http://localhost:3000')
  expect(await urlOf('server_host = "192.0.2.1"\nserver_port = 80')).toBe('http://192.0.2.1')
  expect(await urlOf('server_host = "2001:db8::1"\nserver_port = 8080')).toBe('http://[2001:db8::1]:8080')
  expect(await urlOf('server_url = "https://forge.example.org/"')).toBe('https://forge.example.org')
})

test('max_connections also holds for the embedded PostgreSQL', async () => {
  expect(await configOf({ toml: '[database]\nmax_connections = 4' })).toMatchObject({
    database: null,
    max_connections: 4,
  })
})

async function listenOf(text: string): Promise<unknown> {
  return (await configOf({ env: { CRYSTAL_FORGE__SERVER__METRICS_LISTEN: text } })).server.metrics_listen
}

test('the address of metrics is taken apart', async () => {
  expect(await listenOf('127.0.0.1:9464')).toEqual({ host: '127.0.0.1', port: 9464 })
  expect(await listenOf('[::1]:0')).toEqual({ host: '::1', port: 0 })
})
