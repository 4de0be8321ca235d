import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { approveKeys, enroll } from '../../src/store/enrollments.ts'
import { createEnrollToken } from '../../src/store/enroll-tokens.ts'
import { recordHeartbeats } from '../../src/store/heartbeats.ts'
import { addKey, revokeKey } from '../../src/store/keys.ts'
import { type DeclaredSystem, reconcile as reconcileAll } from '../../src/store/reconcile.ts'
import { findSystem } from '../../src/store/systems.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addStoredSystem, heartbeatOf } from '../support/entries.ts'
import { createStoreView, type StoreView } from '../support/store-view.ts'
import { newKey } from '../support/test-agent.ts'

let store: TestDatabase
let view: StoreView

beforeEach(async () => {
  store = await createTestDatabase()
  view = createStoreView(store.database.db)
})
afterEach(() => store.drop())

const declaration = (hostname: string, members: Partial<DeclaredSystem> = {}): DeclaredSystem => ({
  hostname,
  environment: null,
  flakeUrl: null,
  configuration: null,
  pinnedPath: null,
  keys: [],
  ...members,
})

const reconcile = (...systems: DeclaredSystem[]) => reconcileAll(store.database.db, { flakes: [], systems })

const systems = () =>
  store.database.db
    .selectFrom('systems')
    .leftJoin('flakes', 'flakes.id', 'systems.flake_id')
    .selectAll('systems')
    .select('flakes.url as flake_url')
    .orderBy('systems.id')
    .execute()
const keys = () =>
  store.database.db
    .selectFrom('keys')
    .select(['id', 'system_id', 'status', 'declared', 'revoked_at'])
    .orderBy('id')
    .execute()
const statusOf = async (id: string) => (await keys()).find((key) => key.id === id)?.status

const mayReport = async (hostname: string, key: ReturnType<typeof newKey>) => {
  const system = await findSystem(store.database.db, hostname)
  const entry = heartbeatOf({ hostname, systemId: system?.id ?? 0, key })
  const [outcome] = await recordHeartbeats(store.database.db, [entry])
  return outcome?.result === 'refused' ? outcome.problem : outcome?.result
}

describe('a declared system', () => {
  test('is registered with its settings and keys, which may report at once', async () => {
    const [one, other] = [newKey(), newKey()]
    const settings = {
      environment: 'production',
      flakeUrl: 'git+https://forge.example.org/nixos',
      configuration: 'web',
      pinnedPath: '/nix/store/0c4bxmg5cmjzr41f2b4vdfv9ddxfrq8v-nixos-system-web1-25.11',
    }
    expect(await reconcile(declaration('web1', { ...settings, keys: [one, other] }))).toEqual({
      flakes: [],
      systems: [],
    })
    expect(await systems()).toMatchObject([
      {
        hostname: 'web1',
        declared: true,
        archived_at: null,
        environment: 'production',
        flake_url: settings.flakeUrl,
        configuration: 'web',
        pinned_path: settings.pinnedPath,
      },
    ])
    expect(await mayReport('web1', one)).toBe('recorded')
    expect(await mayReport('web1', other)).toBe('recorded')
  })

  test('stays as it is when nothing changed', async () => {
    const declared = declaration('web1', { environment: 'staging', keys: [newKey()] })
    await reconcile(declared)
    const before = [await systems(), await keys()]
    await reconcile(declared)
    expect([await systems(), await keys()]).toEqual(before)
  })

  test('gets changed and removed settings', async () => {
    await reconcile(
      declaration('web1', { environment: 'staging', configuration: 'a', flakeUrl: 'github:a/b' }),
    )
    await reconcile(declaration('web1', { environment: 'production' }))
    expect(await systems()).toMatchObject([
      { environment: 'production', configuration: null, flake_url: null, declared: true },
    ])
  })

  test('may take over one that an operator added, with its keys and its evidence', async () => {
    const system = await addStoredSystem(store.database.db, 'web1')
    await reconcile(declaration('WEB1'))
    expect(await systems()).toMatchObject([{ id: system.systemId, hostname: 'web1', declared: true }])
    expect(await mayReport('web1', system.key)).toBe('recorded')
  })

  test('that waits for approval of its key is approved by its declaration', async () => {
    const key = newKey()
    const { token } = await createEnrollToken(store.database.db, {
      name: 'a token',
      uses: 1,
      expiresAt: new Date(Date.now() + 60_000),
      environment: null,
      flakeUrl: null,
      hostname: null,
      needsApproval: true,
    })
    await enroll(store.database.db, { token, hostname: 'web1', keyId: key.id, publicKey: key.publicKey })
    await reconcile(declaration('web1', { keys: [key] }))
    expect(await keys()).toMatchObject([{ status: 'active', declared: true }])
  })
})

describe('a system that is no longer declared', () => {
  test('is archived, and its keys are unknown', async () => {
    const key = newKey()
    await reconcile(declaration('web1', { keys: [key] }), declaration('web2'))
    expect(await reconcile(declaration('web2'))).toEqual({ flakes: [], systems: ['web1'] })
    expect(await findSystem(store.database.db, 'web1')).toMatchObject({ archived: true, declared: false })
    expect(await statusOf(key.id)).toBe('inactive')
    expect(await mayReport('web1', key)).toBe('bad-signature')
    expect(await reconcile(declaration('web2'))).toEqual({ flakes: [], systems: [] })
  })

  test('is active again with its keys when it is declared again', async () => {
    const key = newKey()
    await reconcile(declaration('web1', { keys: [key] }))
    const before = await systems()
    await reconcile()
    await reconcile(declaration('web1', { keys: [key] }))
    expect(await systems()).toEqual(before)
    expect(await mayReport('web1', key)).toBe('recorded')
  })

  test('comes back by an approved key, but not with the keys that were declared', async () => {
    const declared = newKey()
    await reconcile(declaration('web1', { keys: [declared] }))
    await reconcile()
    const system = await findSystem(store.database.db, 'web1')
    const key = newKey()
    await addKey(store.database.db, { ...key, systemId: system?.id ?? 0, declared: false })
    await sql`update keys set status = 'pending' where id = ${key.id}`.execute(store.database.db)
    expect(await approveKeys(store.database.db, system?.id ?? 0)).toEqual([key.id])
    for (const restart of [false, true]) {
      if (restart) await reconcile()
      expect(await mayReport('web1', key)).toBe('recorded')
      expect(await mayReport('web1', declared)).toBe('bad-signature')
    }
  })

  test('leaves the ones that operators added alone', async () => {
    const system = await addStoredSystem(store.database.db, 'by-hand')
    await reconcile(declaration('web1'))
    expect(await reconcile()).toEqual({ flakes: [], systems: ['web1'] })
    expect(await mayReport('by-hand', system.key)).toBe('recorded')
  })
})

describe('a key that is no longer declared', () => {
  test('is inactive, and active again when it is declared again', async () => {
    const [kept, left] = [newKey(), newKey()]
    await reconcile(declaration('web1', { keys: [kept, left] }))
    await reconcile(declaration('web1', { keys: [kept] }))
    expect(await mayReport('web1', left)).toBe('bad-signature')
    expect(await mayReport('web1', kept)).toBe('recorded')
    await reconcile(declaration('web1', { keys: [left] }))
    expect(await mayReport('web1', left)).toBe('recorded')
    expect(await mayReport('web1', kept)).toBe('bad-signature')
    await reconcile(declaration('web1'))
    expect(await mayReport('web1', left)).toBe('bad-signature')
  })

  test('stays revoked when it was', async () => {
    const key = newKey()
    await reconcile(declaration('web1', { keys: [key] }))
    const system = await findSystem(store.database.db, 'web1')
    await revokeKey(store.database.db, system?.id ?? 0, key.id)
    await reconcile(declaration('web1'))
    await reconcile()
    expect(await statusOf(key.id)).toBe('revoked')
  })

  test('leaves keys that were enrolled or added by hand alone', async () => {
    await reconcile(declaration('web1', { keys: [newKey()] }))
    const system = await findSystem(store.database.db, 'web1')
    const added = newKey()
    await addKey(store.database.db, { ...added, systemId: system?.id ?? 0, declared: false })
    await reconcile(declaration('web1'))
    expect(await mayReport('web1', added)).toBe('recorded')
  })
})

describe('a declaration that cannot be', () => {
  test('a revoked key is an error that names it, and nothing changes', async () => {
    const key = newKey()
    await reconcile(declaration('web1', { keys: [key] }), declaration('web2'))
    const system = await findSystem(store.database.db, 'web1')
    await revokeKey(store.database.db, system?.id ?? 0, key.id)
    const before = [await systems(), await keys()]
    await expect(
      reconcile(declaration('web0'), declaration('web1', { environment: 'changed', keys: [key] })),
    ).rejects.toThrow(`the key ${key.id} declared for system web1 was revoked`)
    expect([await systems(), await keys()]).toEqual(before)
  })

  test('a key of another system is an error that names it, and nothing changes', async () => {
    const other = await addStoredSystem(store.database.db, 'other')
    const before = [await systems(), await keys()]
    await expect(reconcile(declaration('web1', { keys: [other.key] }))).rejects.toThrow(
      `the key ${other.key.id} declared for system web1 belongs to another system`,
    )
    expect([await systems(), await keys()]).toEqual(before)
  })
})

test('ten servers that start at once declare each system once', async () => {
  const declared = Array.from({ length: 20 }, (_, index) => declaration(`web${index}`, { keys: [newKey()] }))
  await reconcile(declaration('gone'), ...declared.slice(0, 5))
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, (_, server) =>
      reconcile(...(server % 2 === 0 ? declared : declared.toReversed())),
    ),
  )
  expect(outcomes.flatMap((outcome) => outcome.systems)).toEqual(['gone'])
  expect((await systems()).map((system) => system.hostname).toSorted((a, b) => a.localeCompare(b))).toEqual(
    ['gone', ...declared.map((system) => system.hostname)].toSorted((a, b) => a.localeCompare(b)),
  )
  expect((await keys()).map((key) => key.status)).toEqual(declared.map(() => 'active'))
})

test('ten servers that start at once on an empty database declare each system once', async () => {
  const declared = Array.from({ length: 20 }, (_, index) => declaration(`web${index}`, { keys: [newKey()] }))
  await Promise.all(
    Array.from({ length: 10 }, (_, server) =>
      reconcile(...(server % 2 === 0 ? declared : declared.toReversed())),
    ),
  )
  expect(await systems()).toHaveLength(20)
  expect(await keys()).toHaveLength(20)
  expect(await view.deadlocks()).toBe(0)
})

test('a server that starts and others that record heartbeats never deadlock', async () => {
  const fleet = Array.from({ length: 20 }, (_, index) => {
    const key = newKey()
    return { key, declared: declaration(`web${index}`, { keys: [key] }) }
  })
  await reconcile(...fleet.map(({ declared }) => declared))
  const ids = new Map((await systems()).map((system) => [system.hostname, system.id]))
  const beats = fleet.map(({ key, declared: { hostname } }) => ({
    hostname,
    key,
    systemId: ids.get(hostname) ?? 0,
  }))
  await Promise.all(
    Array.from({ length: 30 }, (_, round) =>
      round % 5 === 0
        ? reconcile(...fleet.toReversed().map(({ declared }) => declared))
        : recordHeartbeats(
            store.database.db,
            beats.map((each) => heartbeatOf(each)),
          ),
    ),
  )
  expect(await view.deadlocks()).toBe(0)
})
