import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { createLogger } from '../src/lib/log.ts'
import { createDatabase, withClient } from '../src/store/database.ts'
import { createEmbeddedPostgres } from '../src/store/embedded-postgres/embedded-postgres.ts'
import { recordHeartbeats } from '../src/store/heartbeats.ts'
import { migrate } from '../src/store/migrate.ts'
import { createPartitions } from '../src/store/partitions.ts'
import { recordReport, type ReportEntry } from '../src/store/reports.ts'
import type { DB } from '../src/store/schema.generated.ts'
import { heartbeatOf, reportOf, type StoredSystem } from '../test/support/entries.ts'
import { createSystemState } from '../test/support/messages.ts'
import type { Bench, Figure, Figures } from './figures.ts'
import { registerSystems } from './load/fleet.ts'
import { keyOf } from './load/requests.ts'

const HOSTS = 10_000
const DAYS = 30
const BATCH = 500
const CONNECTIONS = 6

interface Host extends StoredSystem {
  boots: number
  deploys: number
  last: ReportEntry | null
}

/**
 * What a fleet adds to the database in a month in which every host is booted once and nothing else happens, by the
 * functions that the server records with. A day is as many heartbeats of each host as is said, and VACUUM, which autovacuum
 * does more often in 1,440 heartbeats: rows are updated in place, so that their number changes nothing once there is room.
 */
export const benchStorage: Bench = async ({ full, say }) => {
  const directory = await mkdtemp(join(tmpdir(), 'crystal-forge-bench-'))
  // when this is root, PostgreSQL runs as another user, who has to pass
  await chmod(directory, 0o711)
  const log = createLogger({ level: 'warn' })
  // what waits for the disk takes no more room on it
  const postgres = createEmbeddedPostgres({ stateDir: directory, log, settings: { fsync: 'off' } })
  try {
    const connection = await postgres.start()
    await migrate(connection, { log })
    const database = createDatabase(connection, {
      maxConnections: CONNECTIONS,
      applicationName: 'bench',
      log,
    })
    try {
      await createPartitions(database.db)
      await withClient(connection, 'bench', (client) => registerSystems(client, HOSTS))
      return await simulate(database.db, { heartbeatsADay: full ? 48 : 1, say })
    } finally {
      await database.close()
    }
  } finally {
    await postgres.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

async function simulate(
  db: Kysely<DB>,
  { heartbeatsADay, say }: { heartbeatsADay: number; say: (text: string) => void },
): Promise<Figures> {
  const empty = await sizeOf(db)
  const hosts = await readHosts(db)
  say('the first report of each host')
  await report(db, hosts)
  // the room that updates need is there
  for (let times = 0; times < 4; times++) await beat(db, hosts)
  const start = await sizeOf(db)
  for (let day = 0; day < DAYS; day++) {
    say(`day ${day + 1}`)
    const booted = hosts.filter((_, index) => index % DAYS === day)
    for (const host of booted) host.boots += 1
    await report(db, booted)
    for (let times = 0; times < heartbeatsADay; times++) await beat(db, hosts)
  }
  const month = await sizeOf(db)
  say('a deploy to each host')
  for (const host of hosts) host.deploys += 1
  await report(db, hosts)
  const deployed = await sizeOf(db)
  const bodyBytes = hosts[0]?.last?.evidence.body.length ?? 0
  return {
    'fleet.bytes_per_host': bytes((start - empty) / HOSTS),
    'fleet.bytes_per_host_day': bytes((month - start) / HOSTS / DAYS),
    'fleet.bytes_per_deploy': bytes((deployed - month) / HOSTS),
    'fleet.bytes_per_report': bytes(await bytesPerReport(db)),
    'fleet.report_body_bytes': bytes(bodyBytes),
  }
}

function bytes(value: number): Figure {
  return { value: Math.round(value), unit: 'B' }
}

async function readHosts(db: Kysely<DB>): Promise<Host[]> {
  const rows = await db.selectFrom('systems').select(['id', 'hostname']).orderBy('id').execute()
  return rows.map(({ id, hostname }) => ({
    hostname,
    systemId: id,
    key: keyOf(Number(hostname.slice('host-'.length))),
    boots: 0,
    deploys: 0,
    last: null,
  }))
}

async function report(db: Kysely<DB>, hosts: readonly Host[]): Promise<void> {
  const waiting = hosts.values()
  const work = async (): Promise<void> => {
    for (const host of waiting) {
      const entry = reportFrom(host)
      const { result } = await recordReport(db, entry)
      if (result !== 'stored') throw new Error(`a report of ${host.hostname} is ${result}`)
      host.last = entry
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work))
}

function reportFrom(host: Host): ReportEntry {
  const path = `/nix/store/${String(host.deploys).padStart(32, '0')}-nixos-system-${host.hostname}-25.11`
  const system = { ...createSystemState(), current: path, booted: path, profile: path, reboot_needed: [] }
  return reportOf(
    host,
    {
      system,
      previous: host.last?.id ?? null,
      boot_id: bootId(host),
      reason: host.deploys > 0 ? 'config_change' : 'startup',
    },
    {
      fingerprint: ({ software, hardware }) => {
        software.machine_id_digest = host.key.publicKey.toString('hex')
        hardware.product_uuid = host.key.publicKey.toString('hex', 16)
      },
    },
  )
}

async function beat(db: Kysely<DB>, hosts: readonly Host[]): Promise<void> {
  for (let from = 0; from < hosts.length; from += BATCH) {
    const batch = hosts.slice(from, from + BATCH).map((host) =>
      heartbeatOf(host, {
        bootId: bootId(host),
        stateDigest: host.last?.stateDigest ?? '',
        currentSystem: host.last?.facts.system?.current ?? null,
        reported: host.last?.id ?? null,
      }),
    )
    const outcomes = await recordHeartbeats(db, batch)
    if (!outcomes.every((each) => each.result === 'recorded' && !each.wanted))
      throw new Error('a heartbeat was not recorded, or a report wanted')
  }
  await sql`vacuum contacts, keys`.execute(db)
}

function bootId({ systemId, boots }: Host): string {
  return `${systemId.toString(16).padStart(8, '0')}-0000-4000-8000-${boots.toString(16).padStart(12, '0')}`
}

async function sizeOf(db: Kysely<DB>): Promise<number> {
  await sql`vacuum analyze`.execute(db)
  const { rows } = await sql<{ size: number }>`select pg_database_size(current_database()) as size`.execute(
    db,
  )
  return rows[0]?.size ?? 0
}

/** With indexes and the part that is stored out of line. */
async function bytesPerReport(db: Kysely<DB>): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select (select sum(pg_total_relation_size(relid)) from pg_partition_tree('reports'))::float8
           / (select count(*) from reports) as bytes`.execute(db)
  return rows[0]?.bytes ?? 0
}
