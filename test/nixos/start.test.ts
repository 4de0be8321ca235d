import { chmod, cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleAgent, bundleCommands } from '../../script/builder/bundle.ts'
import { encodeBase64 } from '../../src/protocol/keys.ts'
import { unpackTree } from '../agent/unpack-tree.ts'
import { newKey } from '../support/agent.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { waitFor } from '../support/wait.ts'
import { evaluateConfiguration, ROOT } from './support/nix.ts'
import { overTcp } from './support/over-tcp.ts'
import { startUnit } from './support/start-unit.ts'

/** Three processes are started; this machine can be busy. */
const SLOW = { timeoutMs: 60_000 }

let directory = ''
let database: TestDatabase

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crystal-forge-units-'))
  await chmod(directory, 0o755)
  database = await createTestDatabase()
  await bundleCommands({ 'crystal-forge': join(ROOT, 'src/cli/main.ts') }, join(directory, 'dist'))
  await bundleAgent(join(ROOT, 'src/agent/main.ts'), join(directory, 'dist/crystal-forge-agent.mjs'))
  await cp(join(ROOT, 'migrations'), join(directory, 'migrations'), { recursive: true })
  await cp(join(ROOT, 'package.json'), join(directory, 'package.json'))
  // The one that runs the tests may be where nobody else can go.
  await cp(process.execPath, join(directory, 'node'))
}, 120_000)
afterAll(async () => {
  await database.drop()
  await rm(directory, { recursive: true, force: true })
})

/** A file that only root can read, as agenix and sops-nix make them. */
async function secretFile(name: string, text: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, `${text}\n`, { mode: 0o600 })
  return path
}

test('what the module generates starts the real server, evaluator and agent, without root', async () => {
  const { user, name, password } = database.connection
  const { host, port } = await overTcp(database.connection)
  const key = newKey()
  const passwordFile = await secretFile('password', password?.reveal() ?? '')
  const databaseText = `database = {
    host = ${JSON.stringify(host)}; port = ${port}; user = "${user}"; name = "${name}"; password_file = "${passwordFile}";
  };`

  const ofServer = await evaluateConfiguration(`{
    enable = true;
    ${databaseText}
    server = {
      enable = true;
      host = "127.0.0.1";
      port = 0;
      webhook_secret_files = [ "${await secretFile('webhook', 'whose secret')}" ];
    };
    systems = [ { hostname = "db1"; public_key = "${encodeBase64(key.publicKey)}"; } ];
  }`)
  expect(ofServer.failed).toEqual([])
  const server = await startUnit(ofServer, {
    unit: 'crystal-forge-server',
    directory,
    program: 'dist/crystal-forge.js',
  })
  const ready = await waitFor(() => server.lines().find(({ msg }) => msg === 'the server is ready'), {
    timeoutMs: 60_000,
  })
  await waitFor(() => server.notified().includes('READY=1'), SLOW)

  const evaluator = await startUnit(ofServer, {
    unit: 'crystal-forge-evaluator',
    directory,
    program: 'dist/crystal-forge.js',
  })
  await waitFor(() => evaluator.notified().includes('READY=1'), SLOW)

  const rootfs = join(directory, 'rootfs')
  await cp(await unpackTree('vm'), rootfs, { recursive: true, verbatimSymlinks: true })
  const ofAgent = await evaluateConfiguration(`{
    enable = true;
    client = {
      enable = true;
      server_host = "127.0.0.1";
      server_port = ${new URL(String(ready['address'])).port};
      private_key = "${await secretFile('host.key', encodeBase64(key.seed))}";
      heartbeat_interval = "1s";
      rootfs = "${rootfs}";
    };
  }`)
  expect(ofAgent.failed).toEqual([])
  const agent = await startUnit(ofAgent, {
    unit: 'crystal-forge-agent',
    directory,
    program: 'dist/crystal-forge-agent.mjs',
  })
  await waitFor(
    async () => {
      const { rows } = await sql<{ reports: number }>`
        select count(*)::int as reports from reports`.execute(database.database.db)
      return rows[0]?.reports === 1
    },
    { ...SLOW, what: 'a report' },
  )
  await waitFor(() => agent.notified().includes('WATCHDOG=1'), SLOW)

  for (const unit of [agent, evaluator, server]) {
    expect(await unit.stop()).toBe(0)
    // What a process sends last can be read after it has ended.
    await waitFor(() => unit.notified().includes('STOPPING=1'))
    expect(unit.notified()[0]).toBe('READY=1')
    expect((await stat(unit.stateDirectory)).mode & 0o777).toBe(0o700)
  }
  const config = await readFile(server.env['CONFIG_PATH']!, 'utf8')
  expect(config).not.toContain('whose secret')
  expect(config).not.toContain(passwordFile)
}, 240_000)
