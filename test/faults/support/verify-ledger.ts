import { expect } from 'vitest'
import type { Client } from 'pg'
import type { Chain } from '../../../src/fleet/chain.ts'
import type { Flag } from '../../../src/fleet/flags.ts'
import { sha256Id } from '../../../src/protocol/digests.ts'
import { verifyWithNode } from '../../../src/protocol/ed25519.ts'
import { checkContentDigest, readSignedRequest } from '../../../src/protocol/verify.ts'
import { withClient, type ConnectionOptions } from '../../../src/store/database.ts'
import { expectChains, type Link, toLink } from './expect-chains.ts'
import type { ProxyRecord } from './proxy-record.ts'

interface StoredReport extends Link {
  key_id: string
  public_key: Buffer
  body: Buffer
  method: string
  authority: string
  path: string
  content_digest: string
  signature_input: string
  signature: string
}

export interface Ledger {
  stored: number
  acknowledged: number
  /** Acknowledged reports that are not there. */
  lost: number
  /** Reports that are there again. */
  duplicates: number
}

/** What a fault explains; by default nothing: every chain is whole. */
export interface LedgerExpectations {
  /** How often a chain does not simply go on, of all systems together. */
  breaks?: Partial<Record<Chain, number>>
  flags?: readonly Flag[]
}

/** Those that may be up at any time, as hosts are switched without booting. */
export const USUAL_FLAGS: readonly Flag[] = ['reboot_needed', 'profile_mismatch']

/**
 * Expects what the database holds to be what the server said it does: each acknowledged report once, with its bytes and
 * a signature that verifies again, in whole chains, and nothing that calls for an operator.
 */
export async function verifyLedger(
  connection: ConnectionOptions,
  record: ProxyRecord,
  { breaks = {}, flags = USUAL_FLAGS }: LedgerExpectations = {},
): Promise<Ledger> {
  return await withClient(connection, 'test', async (client) => {
    const chains = new Map<string, Link[]>()
    const missing = new Map(record.acknowledged)
    const ledger = { stored: 0, acknowledged: record.acknowledged.size, lost: 0, duplicates: 0 }
    const seen = new Set<string>()
    for (const system of await readSystems(client)) {
      const reports = await readReports(client, system.id)
      for (const report of reports) {
        expectEvidence(report)
        if (seen.has(report.id)) ledger.duplicates += 1
        seen.add(report.id)
        if (missing.get(report.id) === report.key_id) missing.delete(report.id)
      }
      ledger.stored += reports.length
      chains.set(system.hostname, reports.map(toLink))
    }
    ledger.lost = missing.size
    expect(ledger).toMatchObject({ lost: 0, duplicates: 0 })
    expect(record.misnamed).toEqual([])
    expectChains(chains, breaks)
    await expectCurrentState(client)
    await expectPeriodsApart(client)
    await expectHeartbeats(client, record)
    await expectFlags(client, flags)
    return ledger
  })
}

async function readSystems(client: Client): Promise<{ id: number; hostname: string }[]> {
  const { rows } = await client.query<{ id: number; hostname: string }>('select id, hostname from systems')
  return rows
}

/** In the order they were stored. */
async function readReports(client: Client, systemId: number): Promise<StoredReport[]> {
  const { rows } = await client.query<StoredReport>(
    `select 'sha256:' || encode(r.id, 'hex') as id, 'sha256:' || encode(r.previous, 'hex') as previous,
       r.sequence, r.dropped, r.chain, r.key_id, k.public_key, r.body, r.method, r.authority, r.path,
       r.content_digest, r.signature_input, r.signature
     from reports r join keys k on k.id = r.key_id
     where r.system_id = $1 order by r.received_at`,
    [systemId],
  )
  return rows
}

/** Whoever has the row and the public key can check it without this server. */
function expectEvidence(report: StoredReport): void {
  expect(sha256Id(report.body)).toBe(report.id)
  const signed = readSignedRequest({
    method: report.method,
    authority: report.authority,
    path: report.path,
    contentDigest: report.content_digest,
    signatureInput: report.signature_input,
    signature: report.signature,
  })
  checkContentDigest(report.content_digest, report.body)
  expect(signed.keyId).toBe(report.key_id)
  expect(verifyWithNode(report.public_key, signed.base, signed.signatureBytes)).toBe(true)
}

/** Evidence, parsed facts and contact are of one transaction. */
async function expectCurrentState(client: Client): Promise<void> {
  const { rows } = await client.query(
    `select s.hostname from systems s join contacts c on c.system_id = s.id left join facts f on f.system_id = s.id
     cross join lateral (select (select r.id from reports r where r.system_id = s.id
                                 order by r.received_at desc limit 1) as id) newest
     where newest.id is distinct from c.report_id or newest.id is distinct from f.report_id`,
  )
  expect(rows, 'systems whose present state is not that of their newest report').toEqual([])
}

async function expectPeriodsApart(client: Client): Promise<void> {
  const { rows } = await client.query(
    `with periods as (
       select system_id, started_at, ended_at from online_periods
       union all
       select system_id, online_since, last_contact from contacts where last_contact is not null)
     select a.*, b.started_at as other from periods a join periods b on a.system_id = b.system_id
     where a.started_at > a.ended_at or (a.started_at < b.started_at and a.ended_at > b.started_at)`,
  )
  expect(rows, 'online periods that overlap').toEqual([])
}

async function expectHeartbeats(client: Client, record: ProxyRecord): Promise<void> {
  const { rows } = await client.query<{ id: string; heartbeat_sequence: number }>(
    'select id, heartbeat_sequence from keys',
  )
  const lost = rows.filter(({ id, heartbeat_sequence: last }) => last < (record.heartbeats.get(id) ?? 0))
  expect(lost, 'keys whose acknowledged heartbeat is not counted').toEqual([])
}

async function expectFlags(client: Client, expected: readonly Flag[]): Promise<void> {
  const { rows } = await client.query<{ flag: Flag }>(
    'select hostname, flag, details from flags join systems on id = system_id',
  )
  expect(rows.filter(({ flag }) => !expected.includes(flag))).toEqual([])
}

/** Nobody was refused, and nothing went wrong inside the server: only away or stopping it may have been. */
export function expectUsualAnswers({ statuses }: ProxyRecord, further: readonly string[] = []): void {
  const usual = new Set([
    '/agent/state 200',
    '/agent/state 503',
    '/agent/heartbeat 200',
    '/agent/heartbeat 503',
    ...further,
  ])
  expect([...statuses.keys()].filter((each) => !usual.has(each))).toEqual([])
}
