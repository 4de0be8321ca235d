import { execFile } from 'node:child_process'
import { access, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { type ConnectionOptions, withClient } from '../../src/store/database.ts'
import { waitFor } from '../support/wait.ts'
import { type ConfiguredPostgres, startConfiguredPostgres } from './support/configured-postgres.ts'
import { type Fleet, startFleet } from './support/fleet.ts'
import { makeDataDirectory, runProgram } from './support/postgres-programs.ts'
import { createRandom } from './support/random.ts'
import { timeLimitMs, WAIT_MS } from './support/rounds.ts'
import { expectUsualAnswers, USUAL_FLAGS, verifyLedger } from './support/verify-ledger.ts'

const AGENTS = 2

test(
  'a server goes on with what pg_restore made of a dump, and agents notice what it lost',
  { timeout: timeLimitMs(1) },
  async () => {
    const postgres = await startConfiguredPostgres()
    const fleet = await startLoad(postgres, 'dump restored')
    const backups = await makeDirectory(postgres, 'backups')
    const dump = join(backups, 'forge.dump')
    const kept = await fewReports(fleet)
    await runProgram(postgres, 'pg_dump', ['--format=custom', '--file', dump])
    await loseReports(fleet)

    const { name } = postgres.connection
    const elsewhere = { ...postgres.connection, name: 'postgres' }
    await query(elsewhere, `drop database ${name}`)
    await query(elsewhere, `create database ${name}`)
    await runProgram(postgres, 'pg_restore', ['--dbname', name, '--exit-on-error', dump])
    await expectToGoOn(fleet, postgres.connection, kept)
  },
)

test(
  'a server goes on with a base backup that archived WAL brought to a point in time',
  { timeout: timeLimitMs(1) },
  async () => {
    const postgres = await startConfiguredPostgres()
    const archive = await makeDirectory(postgres, 'archive')
    await postgres.end('SIGINT')
    await postgres.start({ archive_mode: 'on', archive_command: `cp %p ${archive}/%f` })
    const backup = await makeDirectory(postgres, 'backup')
    await runProgram(postgres, 'pg_basebackup', ['--pgdata', backup, '--checkpoint=fast'])

    const fleet = await startLoad(postgres, 'point in time')
    const kept = await fewReports(fleet)
    await query(postgres.connection, "select pg_create_restore_point('before the mistake')")
    await loseReports(fleet)
    await query(postgres.connection, 'drop table reports cascade')
    await archiveAll(postgres.connection, archive)
    await postgres.end('SIGKILL')

    await rm(postgres.data, { recursive: true })
    // fs.cp does not keep owners
    await promisify(execFile)('cp', ['-a', backup, postgres.data])
    await writeFile(join(postgres.data, 'recovery.signal'), '')
    await postgres.start({
      restore_command: `cp ${archive}/%f %p`,
      recovery_target_name: 'before the mistake',
      recovery_target_action: 'promote',
    })
    const isPrimary = () => query(postgres.connection, 'select where not pg_is_in_recovery()')
    await waitFor(async () => (await isPrimary()).length === 1, { timeoutMs: WAIT_MS, what: 'the recovery' })
    await expectToGoOn(fleet, postgres.connection, kept)
  },
)

/** A server on this PostgreSQL, and agents whose hosts are switched. */
async function startLoad({ connection }: ConfiguredPostgres, name: string): Promise<Fleet> {
  const fleet = await startFleet({ random: createRandom(name), database: connection, agents: AGENTS })
  fleet.startLoad()
  return fleet
}

/** Reports that are in every backup from now on. */
async function fewReports({ proxy }: Fleet): Promise<Map<string, string>> {
  await proxy.requestsArrived(20)
  return new Map(proxy.record.acknowledged)
}

/** More reports of every host, the last before the database goes; the server is stopped. */
async function loseReports(fleet: Fleet): Promise<void> {
  await fleet.recovered(performance.now())
  await fleet.settle()
  await fleet.server.process().end('SIGTERM')
}

async function expectToGoOn(
  fleet: Fleet,
  connection: ConnectionOptions,
  kept: Map<string, string>,
): Promise<void> {
  const { record } = fleet.proxy
  record.acknowledged.clear()
  record.heartbeats.clear()
  for (const [report, key] of kept) record.acknowledged.set(report, key)
  await fleet.startServer()
  const areFlagged = async (): Promise<boolean> => {
    const flagged = await query(connection, "select from flags where flag = 'history_lost'")
    return flagged.length === AGENTS
  }
  await waitFor(areFlagged, { timeoutMs: WAIT_MS, what: 'agents to name reports that were lost' })
  fleet.startLoad()
  await fleet.recovered(performance.now())
  await fleet.settle()
  await verifyLedger(connection, record, {
    breaks: { gap: AGENTS },
    flags: [...USUAL_FLAGS, 'history_lost', 'chain_broken'],
  })
  expect(record.acknowledged.size).toBeGreaterThan(kept.size)
  expectUsualAnswers(record)
  await fleet.stop()
}

async function makeDirectory(postgres: ConfiguredPostgres, name: string): Promise<string> {
  const path = join(dirname(postgres.data), name)
  await makeDataDirectory(postgres, path)
  return path
}

async function archiveAll(connection: ConnectionOptions, archive: string): Promise<void> {
  const [row] = await query(connection, 'select pg_walfile_name(pg_switch_wal()) as file')
  const isArchived = () => access(join(archive, String(row?.['file']))).then(() => true)
  await waitFor(isArchived, { timeoutMs: WAIT_MS, what: 'the last WAL to be archived' })
}

async function query(connection: ConnectionOptions, statement: string): Promise<Record<string, unknown>[]> {
  return await withClient(connection, 'test', async (client) => (await client.query(statement)).rows)
}
