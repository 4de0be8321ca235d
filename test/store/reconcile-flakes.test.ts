import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { finishCommit } from '../../src/store/commit-runs.ts'
import { recordBranch } from '../../src/store/commits.ts'
import { recordEvaluations } from '../../src/store/evaluations.ts'
import { addFlake, archiveFlake, type FlakeSettings } from '../../src/store/flakes.ts'
import { type DeclaredSystem, reconcile } from '../../src/store/reconcile.ts'
import { addSystem } from '../../src/store/systems.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createStoreView } from '../support/store-view.ts'

let store: TestDatabase

beforeEach(async () => {
  store = await createTestDatabase()
})
afterEach(() => store.drop())

const URL = 'git+https://forge.example.org/fleet'
const flake = (members: Partial<FlakeSettings> = {}): FlakeSettings => ({
  url: URL,
  branch: null,
  allowImportFromDerivation: false,
  searchDepth: 100,
  ...members,
})
const system = (hostname: string, flakeUrl: string | null): DeclaredSystem => ({
  hostname,
  environment: null,
  flakeUrl,
  configuration: null,
  pinnedPath: null,
  keys: [],
})

const declare = (flakes: FlakeSettings[], systems: DeclaredSystem[] = []) =>
  reconcile(store.database.db, { flakes, systems })
const addByHand = (hostname: string, flakeUrl: string) =>
  addSystem(store.database.db, system(hostname, flakeUrl), false)

const flakes = () => store.database.db.selectFrom('flakes').selectAll().orderBy('id').execute()
const branchOfSystem = async (hostname: string) =>
  store.database.db
    .selectFrom('systems')
    .innerJoin('flakes', 'flakes.id', 'systems.flake_id')
    .select(['flakes.id', 'flakes.branch', 'flakes.declared', 'flakes.archived_at'])
    .where('hostname', '=', hostname)
    .executeTakeFirst()

const sha = (digit: string) => digit.repeat(40)

describe('a declared flake', () => {
  test('is followed with its settings, and asked for its head at once', async () => {
    const url = `${URL}?dir=hosts`
    await declare([flake({ url, branch: 'main', allowImportFromDerivation: true, searchDepth: 7 })])
    const [row] = await flakes()
    expect(row).toMatchObject({
      url,
      repository: 'forge.example.org/fleet',
      directory: 'hosts',
      branch: 'main',
      declared: true,
      allow_import_from_derivation: true,
      search_depth: 7,
      archived_at: null,
    })
    expect(Number(row?.next_poll_at)).toBeLessThanOrEqual(Number(row?.created_at))
  })

  test('stays as it is when nothing changed', async () => {
    await declare([flake({ searchDepth: 7 }), flake({ branch: 'main' })])
    const before = await flakes()
    expect(await declare([flake({ searchDepth: 7 }), flake({ branch: 'main' })])).toEqual({
      flakes: [],
      systems: [],
    })
    expect(await flakes()).toEqual(before)
  })

  test('gets changed settings, also when it is written in another way', async () => {
    await declare([flake({ allowImportFromDerivation: true })])
    const [before] = await flakes()
    const url = 'git+ssh://git@forge.example.org/fleet.git'
    await declare([flake({ url, searchDepth: 9 })])
    expect(await flakes()).toEqual([
      { ...before, url, allow_import_from_derivation: false, search_depth: 9, archived_at: null },
    ])
  })

  test('may take over one that an operator added or archived', async () => {
    const { db } = store.database
    const [one, other] = [
      await addFlake(db, flake(), false),
      await addFlake(db, flake({ url: 'github:a/b' }), false),
    ]
    await archiveFlake(db, other.id)
    await declare([flake({ url: 'https://github.com/a/b.git' }), flake({ searchDepth: 3 })])
    expect(await flakes()).toMatchObject([
      { id: one.id, declared: true, search_depth: 3, archived_at: null },
      { id: other.id, declared: true, url: 'https://github.com/a/b.git', archived_at: null },
    ])
  })

  test('is the one of systems that name its repository without a branch', async () => {
    await declare([], [system('web1', URL)])
    expect(await branchOfSystem('web1')).toMatchObject({ branch: null, declared: false })
    await declare([flake({ branch: 'production' })], [system('web1', URL), system('web2', `${URL}.git`)])
    for (const name of ['web1', 'web2'])
      expect(await branchOfSystem(name)).toMatchObject({ branch: 'production', declared: true })
  })

  test('of which the branch is changed keeps its systems, and is asked for its head at once', async () => {
    await declare([flake({ branch: 'main' }), flake({ branch: 'test' })])
    await addByHand('web1', `${URL}?ref=main`)
    const before = await branchOfSystem('web1')
    await sql`update flakes set next_poll_at = now() + interval '1 hour'`.execute(store.database.db)
    await declare([flake({ branch: 'test' }), flake({ branch: 'production' })])
    expect(await branchOfSystem('web1')).toEqual({ ...before, branch: 'production' })
    expect((await flakes()).map((row) => [row.branch, row.next_poll_at > new Date()])).toEqual([
      ['production', false],
      ['test', true],
    ])
  })

  test('with another search depth has its systems judged by it', async () => {
    const { db } = store.database
    await declare([flake({ searchDepth: 1 })])
    await addByHand('web1', URL)
    const [row] = await flakes()
    const mainline = ['b', 'a'].map((digit, index) => ({
      sha: sha(digit),
      position: 1 - index,
      author: 'a',
      subject: 's',
      authoredAt: new Date(0),
      committedAt: new Date(0),
      signed: false,
    }))
    const state = { branch: 'main', head: sha('b'), mainline, others: new Map() }
    const flakeId = row?.id ?? 0
    const { commitId } = await recordBranch(db, flakeId, state, async () => {})
    await recordEvaluations(db, { id: commitId, flakeId }, [
      {
        configuration: 'web1',
        status: 'succeeded',
        drvPath: '/nix/store/y.drv',
        outPath: '/nix/store/y',
        platform: null,
        nixosVersion: null,
        kernelVersion: null,
        stateVersion: null,
        embedsRevision: false,
        specialisations: [],
        durationMs: 1,
        peakMemoryBytes: null,
        nixVersion: '2.8.0',
      },
    ])
    await finishCommit(db, { id: commitId, flakeId }, { status: 'evaluated' })
    await sql`insert into facts (system_id, report_id, received_at, observed_at, current_system, fingerprint, running_since)
      select id, '', now(), now(), '/nix/store/x', '{}', now() from systems`.execute(db)
    const reasonWith = async (searchDepth: number) => {
      await declare([flake({ searchDepth })])
      return (await db.selectFrom('drift').select(['standing', 'reason']).executeTakeFirstOrThrow()).reason
    }
    expect(await reasonWith(2)).toBe('searching')
    expect(await reasonWith(1)).toBe(null)
  })
})

describe('a flake that is no longer declared', () => {
  test('is archived, and followed again when it is declared again', async () => {
    await declare([flake({ searchDepth: 7 }), flake({ url: 'github:a/b' })])
    const before = await flakes()
    expect(await declare([flake({ url: 'github:a/b' })])).toEqual({ flakes: [URL], systems: [] })
    expect(await flakes()).toMatchObject([
      { declared: false, archived_at: expect.any(Date) },
      { declared: true, archived_at: null },
    ])
    expect((await declare([flake({ url: 'github:a/b' })])).flakes).toEqual([])
    await declare([flake({ searchDepth: 7 }), flake({ url: 'github:a/b' })])
    expect(await flakes()).toEqual(before.map((row) => ({ ...row, next_poll_at: expect.any(Date) })))
  })

  test('stays followed while a system that is not declared has it, without what only a declaration allows', async () => {
    await declare([flake({ allowImportFromDerivation: true, searchDepth: 7 })])
    await addByHand('web1', URL)
    expect((await declare([])).flakes).toEqual([])
    expect(await flakes()).toMatchObject([
      { declared: false, archived_at: null, allow_import_from_derivation: false, search_depth: 100 },
    ])
  })

  test('stays followed while a declared system names it, and not while one named it', async () => {
    await declare([flake({ allowImportFromDerivation: true })], [system('web1', URL)])
    expect((await declare([], [system('web1', URL)])).flakes).toEqual([])
    expect(await branchOfSystem('web1')).toMatchObject({ declared: false, archived_at: null })
    expect((await flakes())[0]?.allow_import_from_derivation).toBe(false)
    await declare([flake()], [system('web1', URL)])
    expect((await declare([], [system('web1', 'github:a/b')])).flakes).toEqual([URL])
  })

  test('leaves the ones that operators added alone', async () => {
    await addFlake(store.database.db, flake({ searchDepth: 9 }), false)
    await declare([flake({ url: 'github:a/b' })])
    await declare([])
    expect(await flakes()).toMatchObject([
      { declared: false, search_depth: 9, archived_at: null },
      { archived_at: expect.any(Date) },
    ])
  })
})

describe('a declaration that cannot be is an error that says where, and changes nothing:', () => {
  test.each([
    [
      'one repository in two spellings',
      [flake({ url: 'github:a/b' }), flake(), flake({ url: 'https://GitHub.com/a/b.git' })],
      'flakes[2].url names the same repository, directory and branch as flakes[0].url, in another way: declare it once',
    ],
    ['a URL that is none', [flake(), flake({ url: 'nixpkgs' })], 'flakes[1].url must be a Git URL such as'],
    [
      'two branches',
      [flake({ url: `${URL}?ref=a`, branch: 'b' })],
      'flakes[0].url must not name another branch ("?ref=") than the one that is given beside it',
    ],
  ])('%s', async (_name, declared, message) => {
    await declare([flake({ searchDepth: 3 })])
    const before = await flakes()
    await expect(declare(declared)).rejects.toThrow(message)
    expect(await flakes()).toEqual(before)
  })
})

test('ten servers that start at once, half of them with other spellings, declare each flake once', async () => {
  const { db } = store.database
  await declare([flake({ url: 'github:gone/gone' })])
  const names = Array.from({ length: 10 }, (_, index) => `o/r${index}`)
  const spellings = [
    names.map((name) => flake({ url: `github:${name}`, branch: 'main' })),
    names.toReversed().map((name) => flake({ url: `git+https://github.com/${name}.git`, branch: 'main' })),
  ]
  const hosts = names.map((name, index) => system(`web${index}`, `ssh://git@github.com/${name}`))
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, (_, server) =>
      declare(spellings[server % 2] ?? [], server % 2 === 0 ? hosts : hosts.toReversed()),
    ),
  )
  expect(outcomes.flatMap((outcome) => outcome.flakes)).toEqual(['github:gone/gone'])
  const followed = (await flakes()).filter((row) => row.archived_at === null)
  expect(followed.map((row) => row.repository).toSorted()).toEqual(names.map((name) => `github.com/${name}`))
  for (const [index, name] of names.entries()) {
    const { id } = (await branchOfSystem(`web${index}`)) ?? { id: 0 }
    expect(followed.find((row) => row.id === id)).toMatchObject({
      repository: `github.com/${name}`,
      declared: true,
    })
  }
  expect(await createStoreView(db).deadlocks()).toBe(0)
})

test('servers that start while branches move and operators add systems never deadlock', async () => {
  const { db } = store.database
  const names = Array.from({ length: 5 }, (_, index) => `github:o/r${index}`)
  const declared = names.map((url) => flake({ url }))
  await declare(
    declared,
    names.map((url, index) => system(`web${index}`, url)),
  )
  const ids = (await flakes()).map((row) => row.id)
  const move = (id: number, round: number) => {
    const head = String(round + 10).repeat(20)
    const commit = { sha: head, position: round, author: 'a', subject: 's', signed: false }
    const times = { authoredAt: new Date(0), committedAt: new Date(0) }
    const state = { branch: 'main', head, mainline: [{ ...commit, ...times }], others: new Map() }
    return recordBranch(db, id, state, async () => {})
  }
  const rounds = Array.from({ length: 10 }, (_, round) => [
    declare(
      declared.toReversed(),
      names.map((url, index) => system(`web${(index + round) % 5}`, url)),
    ),
    ...ids.map((id) => move(id, round)),
    addByHand(`by-hand${round}`, names[round % 5] ?? ''),
  ])
  await Promise.all(rounds.flat())
  expect(await createStoreView(db).deadlocks()).toBe(0)
})
