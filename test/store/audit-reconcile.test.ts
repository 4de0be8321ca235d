import { hostname } from 'node:os'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type DeclaredSystem, reconcile } from '../../src/store/reconcile.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { newKey } from '../support/test-agent.ts'

let store: TestDatabase
beforeEach(async () => {
  store = await createTestDatabase()
})
afterEach(() => store.drop())

const URL = 'github:yourorg/fleet'
const flake = (searchDepth = 100, branch: string | null = null) => ({
  url: URL,
  branch,
  allowImportFromDerivation: false,
  searchDepth,
})
const system = (members: Partial<DeclaredSystem> = {}): DeclaredSystem => ({
  hostname: 'web1',
  environment: null,
  flakeUrl: URL,
  configuration: null,
  pinnedPath: null,
  keys: [],
  ...members,
})
const keyOf = ({ id, publicKey }: ReturnType<typeof newKey>) => ({ id, publicKey })

/** What a start with this configuration records, each as action, name and the members that differ. */
const start = async (declared: { flakes?: ReturnType<typeof flake>[]; systems?: DeclaredSystem[] }) => {
  const { db } = store.database
  const before = (await db.selectFrom('audit').select('id').execute()).length
  await reconcile(db, { flakes: declared.flakes ?? [], systems: declared.systems ?? [] })
  const rows = await db.selectFrom('audit').selectAll().where('id', '>', before).orderBy('id').execute()
  for (const row of rows) expect(row).toMatchObject({ actor_kind: 'configuration', actor_name: hostname() })
  return rows.map((row) => [row.action, row.subject_name, row.before, row.after])
}

test('what a configuration declares anew is recorded, and nothing when a server starts again', async () => {
  const declared = { flakes: [flake()], systems: [system({ keys: [keyOf(newKey())] })] }
  expect((await start(declared)).map(([action, name]) => [action, name])).toEqual([
    ['flake.add', URL],
    ['system.add', 'web1'],
    ['key.add', 'web1'],
  ])
  expect(await start(declared)).toEqual([])
})

test('what it changes is recorded with what was there before', async () => {
  const [one, other] = [newKey(), newKey()]
  await start({ flakes: [flake()], systems: [system({ keys: [keyOf(one)] })] })
  const changed = system({ environment: 'lab', keys: [keyOf(other)] })
  expect(await start({ flakes: [flake(7, 'release')], systems: [changed] })).toEqual([
    ['flake.change', URL, { branch: null }, { branch: 'release' }],
    ['flake.change', URL, { search_depth: 100 }, { search_depth: 7 }],
    ['system.change', 'web1', { environment: null }, { environment: 'lab' }],
    ['key.add', 'web1', null, { status: 'active', declared: true }],
    ['key.deactivate', 'web1', { status: 'active' }, { status: 'inactive' }],
  ])
})

test('what it no longer declares is recorded as archived, with its keys', async () => {
  await start({ flakes: [flake()], systems: [system({ keys: [keyOf(newKey())] })] })
  const archived = [
    { declared: true, archived: false },
    { declared: false, archived: true },
  ]
  expect(await start({})).toEqual([
    ['flake.archive', URL, ...archived],
    ['system.archive', 'web1', ...archived],
    ['key.deactivate', 'web1', { status: 'active' }, { status: 'inactive' }],
  ])
  expect(await start({})).toEqual([])
})

test('a configuration that is refused leaves no record', async () => {
  const key = keyOf(newKey())
  const systems = [system({ keys: [key] }), system({ hostname: 'web2', keys: [key] })]
  await expect(start({ systems })).rejects.toThrow('belongs to another system')
  expect(await store.database.db.selectFrom('audit').selectAll().execute()).toEqual([])
})
