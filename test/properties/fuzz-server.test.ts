import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { encodeBase64, type PrivateKey } from '../../src/protocol/keys.ts'
import type { ConnectionOptions, Database } from '../../src/store/database.ts'
import { type RunningProcess, startProcess } from '../faults/support/processes.ts'
import { createTestDatabase } from '../support/database.ts'
import { databaseContent } from '../support/database-content.ts'
import { createTestAgent, newKey } from '../support/test-agent.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { deliveries, followFlake, SECRET } from '../server/webhooks/support.ts'
import { type Base, documentOf, mutate } from './fuzz/documents.ts'
import { createLane, type Lane } from './fuzz/lane.ts'
import { createLedger, type Ledger, note, storedReports } from './fuzz/ledger.ts'
import {
  damaged,
  encode,
  encodeVersion0,
  encodeWebhook,
  type FuzzedRequest,
  request,
} from './fuzz/requests.ts'

const CASES = Number(
  process.env['CRYSTAL_FORGE_FUZZ_CASES'] ?? (process.env['CRYSTAL_FORGE_SOAK'] === '1' ? 100_000 : 20_000),
)
const SEED = Number(process.env['CRYSTAL_FORGE_FUZZ_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))
/** Connections at once. */
const LANES = 6
/** What a server may grow by in that time; one that leaked a body of each request would grow by far more. */
const MAX_GROWTH_BYTES = 150 * 1024 * 1024

interface Fuzzed {
  server: RunningProcess
  database: Database
  url: string
  authority: string
  /** Of the system that is fuzzed by version 1 and of the one that is by version 0. */
  keys: { agent: PrivateKey; version0: PrivateKey; bystander: PrivateKey }
  ledger: Ledger
}

async function startFuzzedServer(): Promise<Fuzzed> {
  const { connection, database, drop } = await createTestDatabase()
  onTestFinished(drop)
  const keys = { agent: newKey(), version0: newKey(), bystander: newKey() }
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'webhook-secret'), SECRET)
  const configPath = join(directory, 'config.toml')
  await writeFile(configPath, configuration(connection, keys))
  const server = startProcess({ args: ['server'], configPath })
  onTestFinished(async () => {
    await server.end('SIGTERM')
  })
  await followFlake(database.db, 'git+https://git.example.org/yourorg/nixos-configs')
  const url = String((await server.logged('the server is ready'))['address'])
  const authority = new URL(url).host
  const bystander = createTestAgent({ url, authority }, { hostname: 'bystander', key: keys.bystander })
  expect((await bystander.report()).status).toBe(200)
  expect((await bystander.heartbeat()).status).toBe(200)
  return { server, database, url, authority, keys, ledger: createLedger() }
}

const configuration = (connection: ConnectionOptions, keys: Fuzzed['keys']): string =>
  `[database]
host = "${connection.host}"
port = ${connection.port}
user = "${connection.user}"
password = "${connection.password?.reveal() ?? ''}"
name = "${connection.name}"

[server]
host = "127.0.0.1"
port = 0
evaluate = false
accept_v0_agents = true
webhook_secret_files = ["./webhook-secret"]
` +
  Object.entries(keys)
    .map(
      ([hostname, key]) =>
        `\n[[systems]]\nhostname = "${hostname}"\npublic_key = "${encodeBase64(key.publicKey)}"\n`,
    )
    .join('')

const PATHS: Record<Base, string> = {
  heartbeat: '/agent/heartbeat',
  report: '/agent/state',
  enrollment: '/agent/enroll',
  'version-0': '/agent/heartbeat',
  webhook: '/webhook/generic',
}
let lastSequence = Date.now()
const stranger = newKey()

/** The bytes of a case, and the body in them as it was signed. */
function bytesOf(given: FuzzedRequest, { keys, authority }: Fuzzed): { bytes: Buffer; body: Buffer } {
  const sequence = (lastSequence = Math.max(lastSequence + 1, Date.now()))
  const isVersion0 = given.base === 'version-0'
  const hostname = isVersion0 ? 'version0' : 'agent'
  const own = isVersion0 ? keys.version0 : keys.agent
  const filling = {
    hostname: given.names === 'bystander' ? 'bystander' : hostname,
    sequence,
    publicKey: encodeBase64(stranger.publicKey),
  }
  const document = mutate(documentOf(given.base, filling), given.mutations)
  const body = Buffer.from(damaged(JSON.stringify(document) ?? '', given.bodyDamage))
  const isEnrollment = given.base === 'enrollment'
  const key = given.signer === 'agent' && !isEnrollment ? own : stranger
  const keyId = given.signer === 'impostor' ? keys.bystander.id : key.id
  const path = given.path ?? PATHS[given.base]
  const common = { key, authority, path, body }
  if (given.base === 'webhook') {
    const secret = given.signer === 'agent' ? SECRET : 'another'
    return { body, bytes: encodeWebhook(given, { secret, authority, path, body }) }
  }
  return {
    body,
    bytes: isVersion0
      ? encodeVersion0(given, { ...common, hostname: given.signer === 'impostor' ? 'bystander' : hostname })
      : encode(given, { ...common, keyId }),
  }
}

/** So many cases on one lane; `lane` makes their seeds differ. */
async function fuzz(fuzzed: Fuzzed, lane: Lane, number: number, cases: number): Promise<void> {
  const options = { numRuns: cases, seed: SEED + number }
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        { weight: 9, arbitrary: request },
        { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 300 }) },
      ),
      async (given) => {
        if (given instanceof Uint8Array) {
          const reply = await lane.tell(Buffer.from(given))
          if (reply !== null) note(fuzzed.ledger, reply, Buffer.alloc(0))
          return
        }
        const { bytes, body } = bytesOf(given, fuzzed)
        note(fuzzed.ledger, await lane.ask(bytes), body)
      },
    ),
    options,
  )
}

/** What of the database no fuzzed request may change. Jobs and processes write when they write; counts are those of all systems. */
async function untouchable(database: Database) {
  const {
    job_runs: _jobs,
    instances: _processes,
    fleet_history: _history,
    drift_tally: _counts,
    webhook_deliveries: _deliveries,
    ...content
  } = await databaseContent(database.db, (table) =>
    ['contacts', 'drift', 'events', 'facts', 'flags', 'online_periods', 'reports'].includes(table)
      ? "system_id = (select id from systems where hostname = 'bystander')"
      : table === 'keys'
        ? "system_id = (select id from systems where hostname = 'bystander') or status <> 'active' or not declared"
        : 'true',
  )
  return content
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? NaN) * 1024
}

test(
  `${CASES} fuzzed requests: never a 500, never a crash, never a stored byte of a refused one, memory bounded`,
  { timeout: 120_000 + CASES * 20 },
  async () => {
    process.stdout.write(`fuzzing with the seed ${SEED} (CRYSTAL_FORGE_FUZZ_SEED repeats it)\n`)
    const fuzzed = await startFuzzedServer()
    const { server, database, url, ledger } = fuzzed
    const lanes = Array.from({ length: LANES }, () => createLane(url))
    onTestFinished(() => lanes.forEach((lane) => lane.close()))
    const before = await untouchable(database)
    const run = (cases: number, offset: number) =>
      Promise.all(
        lanes.map((lane, index) => fuzz(fuzzed, lane, offset + index, Math.ceil(cases / lanes.length))),
      )
    const warmUp = Math.min(2000, Math.ceil(CASES / 10))
    await run(warmUp, 0)
    const residentBefore = await residentBytes(server.pid)
    await run(CASES - warmUp, LANES)
    const growth = (await residentBytes(server.pid)) - residentBefore

    const counts = [...ledger.statuses].toSorted(([a], [b]) => a - b)
    process.stdout.write(
      `${counts.map(([status, count]) => `${count} × ${status}`).join(', ')}; ` +
        `resident memory ${Math.round(growth / 1024 / 1024)} MiB more\n`,
    )
    expect(server.isRunning()).toBe(true)
    // that one system sends from many lanes at once is said, and is so
    const said = server.lines.filter(({ msg }) => msg !== 'a system sends more at once than is taken of one')
    expect(said.filter(({ level }) => !['info', 'debug', 'trace'].includes(level))).toEqual([])
    expect(await untouchable(database)).toEqual(before)
    const stored = await storedReports(database.db, ['agent', 'version0'])
    expect([...ledger.acknowledged].filter((id) => !stored.has(id))).toEqual([])
    expect([...stored].filter((id) => !ledger.acknowledged.has(id) && !ledger.accepted.has(id))).toEqual([])
    const accepted = (await deliveries(database.db)).filter(({ outcome }) => outcome === 'accepted')
    expect(accepted).toHaveLength(ledger.statuses.get(202) ?? 0)
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES)
    // the fuzzing is worth nothing when everything is refused at the door
    for (const status of [200, 202, 400, 401, 403, 404, 413, 415, 422])
      expect(ledger.statuses.get(status) ?? 0, `answers with ${status}`).toBeGreaterThan(CASES / 20_000)
  },
)
