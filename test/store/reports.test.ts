import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sha256Id } from '../../src/protocol/digests.ts'
import { verifyWithNode } from '../../src/protocol/ed25519.ts'
import { checkContentDigest, readSignedRequest } from '../../src/protocol/verify.ts'
import { recordHeartbeats } from '../../src/store/heartbeats.ts'
import { addKey, revokeKey } from '../../src/store/keys.ts'
import { recordReport, type ReportEntry } from '../../src/store/reports.ts'
import { setArchived } from '../../src/store/systems.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addStoredSystem, BOOT_A, heartbeatOf, reportOf, type StoredSystem } from '../support/entries.ts'
import { createSystemState } from '../support/messages.ts'
import { createStoreView, type StoreView } from '../support/store-view.ts'
import { newKey } from '../support/test-agent.ts'

let store: TestDatabase
let view: StoreView
let system: StoredSystem
let count = 0

beforeAll(async () => {
  store = await createTestDatabase()
  view = createStoreView(store.database.db)
})
afterAll(() => store.drop())
beforeEach(async () => {
  system = await addStoredSystem(store.database.db, `host${(count += 1)}`)
})

const record = (entry: ReportEntry) => recordReport(store.database.db, entry)

const setStatus = (status: string) =>
  sql`update keys set status = ${status} where id = ${system.key.id}`.execute(store.database.db)

const named = (hostname: string) =>
  reportOf(
    system,
    {},
    {
      fingerprint: (fingerprint) => {
        fingerprint.software.hostname = hostname
      },
    },
  )

describe('an accepted report', () => {
  test('is kept byte for byte, and its signature can be checked again from the database alone', async () => {
    const entry = reportOf(system)
    expect(await record(entry)).toEqual({ result: 'stored', chain: 'start' })
    const [row] = await view.reports(system)
    if (row === undefined) throw new Error('the report is not there')
    expect(row.body).toEqual(entry.evidence.body)
    expect(sha256Id(row.body)).toBe(entry.id)
    const signed = readSignedRequest({
      method: row.method,
      authority: row.authority,
      path: row.path,
      contentDigest: row.content_digest ?? undefined,
      signatureInput: row.signature_input ?? undefined,
      signature: row.signature,
    })
    expect(signed.keyId).toBe(row.key_id)
    expect(verifyWithNode(row.public_key, signed.base, signed.signatureBytes)).toBe(true)
    checkContentDigest(row.content_digest ?? '', row.body)
    const forged = Buffer.from(row.body)
    forged[forged.length - 2] = (forged[forged.length - 2] ?? 0) ^ 1
    expect(() => checkContentDigest(row.content_digest ?? '', forged)).toThrow('not the digest of the body')
  })

  test('is listed with what it says of itself', async () => {
    const observedAt = '2026-11-23T12:00:00.123Z'
    const entry = reportOf(system, { observed_at: observedAt, reason: 'config_change', dropped: 2 })
    await record(entry)
    expect(await view.reports(system)).toMatchObject([
      {
        key_id: system.key.id,
        sequence: entry.sequence,
        observed_at: new Date(observedAt),
        reason: 'config_change',
        dropped: 2,
        protocol: 1,
        previous: null,
      },
    ])
  })

  test('is a contact', async () => {
    await record(reportOf(system, { clock_skew_secs: -3 }))
    const row = await view.contact(system)
    expect(row.last_contact).not.toBeNull()
    expect(row.online_since).toEqual(row.last_contact)
    expect(row).toMatchObject({
      boot_id: BOOT_A,
      clock_skew_secs: -3,
      protocol: 1,
      interval_secs: 60,
      current_system: createSystemState().current,
    })
  })

  test('gives the facts that are shown; those of the one before are gone', async () => {
    const first = reportOf(system)
    await record(first)
    const second = reportOf(
      system,
      { previous: first.id, system: null },
      {
        fingerprint: (fingerprint) => {
          fingerprint.software.kernel_release = '6.18.0'
        },
      },
    )
    await record(second)
    const shown = await view.facts(system)
    expect(shown).toMatchObject({ system: null, current_system: null, hostname: system.hostname })
    expect(shown).toHaveProperty('fingerprint.software.kernel_release', '6.18.0')
    expect(shown).toHaveProperty('report_id', (await view.reports(system))[1]?.id)
  })

  test('keeps members nobody here knows, as they are part of the digest', async () => {
    const entry = reportOf(
      system,
      {},
      {
        fingerprint: (fingerprint) => Object.assign(fingerprint, { of_a_later_version: { deep: [1, 'ü'] } }),
      },
    )
    await record(entry)
    expect(await view.facts(system)).toHaveProperty('fingerprint.of_a_later_version', { deep: [1, 'ü'] })
    const { rows: known } = await sql<{ digest: string }>`
      select 'sha256:' || encode(state_digest, 'hex') as digest from contacts
      where system_id = ${system.systemId}`.execute(store.database.db)
    expect(known).toEqual([{ digest: entry.stateDigest }])
  })

  test.each(['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999Z', '2026-11-23T12:00:00+15:59'])(
    'may be observed at %s',
    async (observed_at) => {
      expect(await record(reportOf(system, { observed_at }))).toMatchObject({ result: 'stored' })
    },
  )
})

describe('a report that came before', () => {
  test('is a duplicate, and changes nothing', async () => {
    const entry = reportOf(system)
    await record(entry)
    await record(reportOf(system, { previous: entry.id, clock_skew_secs: 50 }))
    const before = await view.everything(system)
    expect(await record(entry)).toEqual({ result: 'duplicate' })
    expect(await view.everything(system)).toEqual(before)
  })

  test('is a duplicate also under another key of the system, rotated before the answer arrived', async () => {
    const first = reportOf(system)
    await record(first)
    const second = newKey()
    await addKey(store.database.db, {
      id: second.id,
      systemId: system.systemId,
      publicKey: second.publicKey,
      declared: false,
    })
    const before = await view.everything(system)
    expect(await record({ ...first, keyId: second.id })).toEqual({ result: 'duplicate' })
    expect(await view.everything(system)).toEqual(before)
  })

  test('is no duplicate under the key of another system', async () => {
    const entry = reportOf(
      system,
      {},
      {
        fingerprint: (fingerprint) => {
          fingerprint.software.hostname = null
        },
      },
    )
    await record(entry)
    const other = await addStoredSystem(store.database.db, `other-of-${system.hostname}`)
    const same = { ...entry, systemId: other.systemId, keyId: other.key.id }
    expect(await record(same)).toMatchObject({ result: 'stored' })
    expect(await view.reports(system)).toHaveLength(1)
    expect(await view.reports(other)).toHaveLength(1)
  })

  test('is stored once, however many servers get it at the same moment', async () => {
    const entry = reportOf(system)
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => record(entry)))
    expect(outcomes.map(({ result }) => result).toSorted()).toEqual([
      ...Array.from({ length: 4 }, () => 'duplicate'),
      'stored',
    ])
    expect(await view.reports(system)).toHaveLength(1)
  })
})

describe('a sequence that is not above the last', () => {
  test('is a replay when the report is another, and changes nothing', async () => {
    const entry = reportOf(system)
    await record(entry)
    const before = await view.everything(system)
    for (const sequence of [entry.sequence, entry.sequence - 1])
      expect(await record(reportOf(system, { sequence, previous: entry.id }))).toEqual({
        result: 'replayed',
        lastSequence: entry.sequence,
      })
    expect(await view.everything(system)).toEqual(before)
  })

  test('is judged by the sequences of reports, not by those of heartbeats', async () => {
    await recordHeartbeats(store.database.db, [heartbeatOf(system, { sequence: Number.MAX_SAFE_INTEGER })])
    expect(await record(reportOf(system))).toMatchObject({ result: 'stored' })
  })
})

describe('a host name', () => {
  test('of another registered system is refused, in any case, and nothing is stored', async () => {
    await addStoredSystem(store.database.db, `Db.${system.hostname}`)
    const before = await view.everything(system)
    expect(await record(named(`dB.${system.hostname.toUpperCase()}`))).toEqual({ result: 'wrong-host' })
    expect(await view.everything(system)).toEqual(before)
  })

  test('that nobody has is a fact, with a flag', async () => {
    expect(await record(named(`new-${system.hostname}`))).toMatchObject({ result: 'stored' })
    expect((await view.flags(system))['hostname_changed']?.details).toEqual({
      registered: system.hostname,
      reported: `new-${system.hostname}`,
    })
  })

  test('of an archived system may be taken over', async () => {
    const old = await addStoredSystem(store.database.db, `old-${system.hostname}`)
    await setArchived(store.database.db, old.systemId, true)
    expect(await record(named(old.hostname))).toMatchObject({ result: 'stored' })
  })
})

describe('a key that may not write', () => {
  test.each([
    { status: 'pending', act: () => setStatus('pending'), problem: 'pending-approval' },
    { status: 'inactive', act: () => setStatus('inactive'), problem: 'bad-signature' },
    {
      status: 'revoked',
      act: () => revokeKey(store.database.db, system.systemId, system.key.id),
      problem: 'revoked-key',
    },
    {
      status: 'archived',
      act: () => setArchived(store.database.db, system.systemId, true),
      problem: 'revoked-key',
    },
  ])('is refused when $status, also for a report that is known', async ({ act, problem }) => {
    const known = reportOf(system)
    await record(known)
    await act()
    const before = await view.everything(system)
    expect(await record(known)).toEqual({ result: 'refused', problem })
    expect(await record(reportOf(system))).toEqual({ result: 'refused', problem })
    expect(await view.everything(system)).toEqual(before)
  })

  test('writes nothing once its revocation is answered, though its report was under way', async () => {
    const entry = reportOf(system)
    const { writing } = await store.database.db.transaction().execute(async (transaction) => {
      await sql`select from contacts where system_id = ${system.systemId} for update`.execute(transaction)
      const started = record(entry)
      await revokeKey(transaction, system.systemId, system.key.id)
      return { writing: started }
    })
    expect(await writing).toEqual({ result: 'refused', problem: 'revoked-key' })
  })

  test('is locked while its report is written, so that a revocation waits or wins', async () => {
    const revoked = Promise.withResolvers<undefined>()
    const released = Promise.withResolvers<undefined>()
    const holding = store.database.db.transaction().execute(async (transaction) => {
      await revokeKey(transaction, system.systemId, system.key.id)
      revoked.resolve(undefined)
      await released.promise
    })
    await revoked.promise
    const writing = record(reportOf(system))
    await view.untilBlocked(1)
    released.resolve(undefined)
    await holding
    expect(await writing).toEqual({ result: 'refused', problem: 'revoked-key' })
    expect(await view.reports(system)).toEqual([])
  })
})
