import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { approveKeys, enroll } from '../../src/store/enrollments.ts'
import {
  createEnrollToken,
  type EnrollTokenSettings,
  listEnrollTokens,
  revokeEnrollToken,
} from '../../src/store/enroll-tokens.ts'
import { addKey, findKey, listKeys, revokeKey } from '../../src/store/keys.ts'
import { addSystem, findSystem, setArchived } from '../../src/store/systems.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addStoredSystem } from '../support/entries.ts'
import { newKey } from '../support/test-agent.ts'

let store: TestDatabase
let hostname: string
let count = 0

beforeAll(async () => {
  store = await createTestDatabase()
})
afterAll(() => store.drop())
beforeEach(() => {
  hostname = `host${(count += 1)}`
})

const inAnHour = () => new Date(Date.now() + 3_600_000)

const createToken = async (settings: Partial<EnrollTokenSettings> = {}) =>
  createEnrollToken(store.database.db, {
    name: 'for a test',
    uses: 1,
    expiresAt: inAnHour(),
    environment: null,
    flakeUrl: null,
    hostname: null,
    needsApproval: false,
    ...settings,
  })

const ask = (token: string, key = newKey(), name = hostname) =>
  enroll(store.database.db, { token, hostname: name, keyId: key.id, publicKey: key.publicKey })

const usesLeft = async (id: number) =>
  (await listEnrollTokens(store.database.db)).find((token) => token.id === id)?.uses_left

const systemOf = (name: string) =>
  store.database.db
    .selectFrom('systems')
    .leftJoin('flakes', 'flakes.id', 'systems.flake_id')
    .selectAll('systems')
    .select('flakes.url as flake_url')
    .where(sql`lower(hostname)`, '=', name.toLowerCase())
    .executeTakeFirst()

const statusOf = async (keyId: string) =>
  (await listKeys(store.database.db, {})).find((key) => key.id === keyId)?.status

describe('a token', () => {
  test('is random and stored hashed', async () => {
    const [one, other] = [await createToken(), await createToken()]
    expect(one.token).toMatch(/^cfe_[A-Za-z0-9_-]{43}$/)
    expect(other.token).not.toBe(one.token)
    const { rows } = await sql<{ row: string }>`select enroll_tokens::text as row from enroll_tokens`.execute(
      store.database.db,
    )
    for (const { row } of rows) expect(row).not.toContain(one.token)
  })

  test('lets a new host in: active at once, with the environment and flake of the token', async () => {
    const { token, id } = await createToken({ environment: 'staging', flakeUrl: 'git+https://x.example/y' })
    const key = newKey()
    expect(await ask(token, key)).toEqual({ result: 'active', hostname })
    expect(await systemOf(hostname)).toMatchObject({
      environment: 'staging',
      flake_url: 'git+https://x.example/y',
      declared: false,
    })
    expect(await findKey(store.database.db, key.id)).toMatchObject({ publicKey: key.publicKey })
    expect(await usesLeft(id)).toBe(0)
  })

  test('that needs approval makes it wait', async () => {
    const { token } = await createToken({ needsApproval: true })
    const key = newKey()
    expect(await ask(token, key)).toEqual({ result: 'pending', hostname })
    expect(await statusOf(key.id)).toBe('pending')
  })

  test.each([
    { name: 'unknown', make: () => Promise.resolve({ token: `cfe_${'x'.repeat(43)}` }) },
    { name: 'expired', make: () => createToken({ expiresAt: new Date(Date.now() - 1000) }) },
    {
      name: 'used up',
      make: async () => {
        const created = await createToken()
        await ask(created.token, newKey(), `${hostname}-before`)
        return created
      },
    },
    {
      name: 'revoked',
      make: async () => {
        const created = await createToken()
        await revokeEnrollToken(store.database.db, created.id)
        return created
      },
    },
    { name: 'for another host', make: () => createToken({ hostname: 'another' }) },
  ])('that is $name is refused like any other, and nothing is registered', async ({ make }) => {
    const { token } = await make()
    const key = newKey()
    expect(await ask(token, key)).toEqual({ result: 'refused' })
    expect(await systemOf(hostname)).toBeUndefined()
    expect(await findKey(store.database.db, key.id)).toBeNull()
  })

  test('for one host name lets that one in, in any case', async () => {
    const { token } = await createToken({ hostname: hostname.toUpperCase() })
    expect(await ask(token)).toMatchObject({ result: 'active' })
  })

  test('of three uses lets three hosts in', async () => {
    const { token } = await createToken({ uses: 3 })
    const results: string[] = []
    for (let index = 0; index < 5; index += 1)
      results.push((await ask(token, newKey(), `${hostname}-${index}`)).result)
    expect(results).toEqual(['active', 'active', 'active', 'refused', 'refused'])
  })

  test('can be revoked once', async () => {
    const { id } = await createToken()
    expect(await revokeEnrollToken(store.database.db, id)).toBe(true)
    expect(await revokeEnrollToken(store.database.db, id)).toBe(false)
    expect(await usesLeft(id)).toBeUndefined()
  })
})

describe('the same key again', () => {
  test('gets the same answer and spends nothing, with whatever token', async () => {
    const { token, id } = await createToken({ uses: 2 })
    const key = newKey()
    for (const text of [token, token, 'cfe_wrong'])
      expect(await ask(text, key)).toEqual({ result: 'active', hostname })
    expect(await usesLeft(id)).toBe(1)
  })

  test('goes on waiting, and is active once it was approved', async () => {
    const { token } = await createToken({ needsApproval: true })
    const key = newKey()
    expect([await ask(token, key), await ask(token, key)]).toMatchObject([
      { result: 'pending' },
      { result: 'pending' },
    ])
    const system = await findSystem(store.database.db, hostname)
    expect(await approveKeys(store.database.db, system?.id ?? 0)).toEqual([key.id])
    expect(await ask(token, key)).toEqual({ result: 'active', hostname })
  })

  test('stays with its system, whatever host name it gives now', async () => {
    const { token } = await createToken({ uses: 2 })
    const key = newKey()
    await ask(token, key)
    expect(await ask(token, key, 'another')).toEqual({ result: 'active', hostname })
    expect(await systemOf('another')).toBeUndefined()
  })

  test('is refused when it was revoked, and spends nothing', async () => {
    const { token, id } = await createToken({ uses: 2 })
    const system = await addStoredSystem(store.database.db, hostname)
    await revokeKey(store.database.db, system.systemId, system.key.id)
    expect(await ask(token, system.key)).toEqual({ result: 'revoked-key' })
    expect(await statusOf(system.key.id)).toBe('revoked')
    expect(await usesLeft(id)).toBe(2)
  })

  test('is refused when configuration no longer declares it: the configuration decides', async () => {
    const { token } = await createToken()
    const system = await addStoredSystem(store.database.db, hostname)
    await sql`update keys set status = 'inactive' where id = ${system.key.id}`.execute(store.database.db)
    expect(await ask(token, system.key)).toEqual({ result: 'refused' })
    expect(await statusOf(system.key.id)).toBe('inactive')
  })
})

describe('a host name that is taken', () => {
  test.each(['active', 'pending', 'inactive'])(
    'by a system with an %s key waits for approval',
    async (status) => {
      const system = await addStoredSystem(store.database.db, hostname)
      await sql`update keys set status = ${status} where id = ${system.key.id}`.execute(store.database.db)
      const { token } = await createToken()
      const key = newKey()
      expect(await ask(token, key, hostname.toUpperCase())).toEqual({ result: 'pending', hostname })
      expect(await statusOf(key.id)).toBe('pending')
      expect(await statusOf(system.key.id)).toBe(status)
    },
  )

  test('by a system whose only key was revoked waits too', async () => {
    const system = await addStoredSystem(store.database.db, hostname)
    await revokeKey(store.database.db, system.systemId, system.key.id)
    const { token } = await createToken()
    expect(await ask(token)).toEqual({ result: 'pending', hostname })
  })

  test('by an archived system waits; approval brings the system back', async () => {
    const system = await addStoredSystem(store.database.db, hostname)
    await setArchived(store.database.db, system.systemId, true)
    const { token } = await createToken()
    const key = newKey()
    expect(await ask(token, key)).toEqual({ result: 'pending', hostname })
    expect(await approveKeys(store.database.db, system.systemId, key.id)).toEqual([key.id])
    expect(await findSystem(store.database.db, hostname)).toMatchObject({ archived: false })
  })

  test('by a system without any key is that system: it was registered for this', async () => {
    await addSystem(
      store.database.db,
      { hostname, environment: 'production', flakeUrl: null, configuration: 'web', pinnedPath: null },
      false,
    )
    const { token } = await createToken({ environment: 'staging' })
    expect(await ask(token)).toEqual({ result: 'active', hostname })
    expect(await systemOf(hostname)).toMatchObject({ environment: 'production', configuration: 'web' })
  })
})

describe('approval', () => {
  test('lets all waiting keys in, or the one that is named, and none twice', async () => {
    const system = await addStoredSystem(store.database.db, hostname)
    const { token } = await createToken({ uses: 3 })
    const keys = [newKey(), newKey(), newKey()]
    for (const key of keys) await ask(token, key)
    const [first, ...others] = keys.map((key) => key.id)
    expect(await approveKeys(store.database.db, system.systemId, first)).toEqual([first])
    expect(await approveKeys(store.database.db, system.systemId, first)).toEqual([])
    expect(new Set(await approveKeys(store.database.db, system.systemId))).toEqual(new Set(others))
    expect(await approveKeys(store.database.db, system.systemId)).toEqual([])
  })

  test('does not reach the keys of other systems, nor revoked ones', async () => {
    const system = await addStoredSystem(store.database.db, hostname)
    const { token } = await createToken({ needsApproval: true })
    const waiting = newKey()
    await ask(token, waiting, `other-${hostname}`)
    expect(await approveKeys(store.database.db, system.systemId, waiting.id)).toEqual([])
    await revokeKey(store.database.db, system.systemId, system.key.id)
    expect(await approveKeys(store.database.db, system.systemId, system.key.id)).toEqual([])
    expect(await statusOf(waiting.id)).toBe('pending')
  })
})

describe('twenty at once', () => {
  const twenty = Array.from({ length: 20 }, (_, index) => index)

  test('with a token of one use: one host gets in', async () => {
    const { token, id } = await createToken()
    const outcomes = await Promise.all(twenty.map((index) => ask(token, newKey(), `${hostname}-${index}`)))
    expect(outcomes.filter(({ result }) => result === 'active')).toHaveLength(1)
    expect(outcomes.filter(({ result }) => result === 'refused')).toHaveLength(19)
    expect(await usesLeft(id)).toBe(0)
    const { rows } = await sql<{ systems: number }>`select count(*) as systems from systems
      where hostname like ${hostname + '-%'}`.execute(store.database.db)
    expect(rows).toEqual([{ systems: 1 }])
  })

  test('with one key: one use is spent and all get the same answer', async () => {
    const { token, id } = await createToken({ uses: 20 })
    const key = newKey()
    const outcomes = await Promise.all(twenty.map(() => ask(token, key)))
    expect(outcomes).toEqual(twenty.map(() => ({ result: 'active', hostname })))
    expect(await usesLeft(id)).toBe(19)
  })

  test('with one key and a token each: one use of all is spent', async () => {
    const tokens = await Promise.all(twenty.map(() => createToken()))
    const key = newKey()
    const outcomes = await Promise.all(
      tokens.map(({ token }, index) => ask(token, key, `${hostname}-${index % 2}`)),
    )
    expect(new Set(outcomes.map(({ result }) => result))).toEqual(new Set(['active']))
    const left = await Promise.all(tokens.map(({ id }) => usesLeft(id)))
    expect(left.filter((uses) => uses === 0)).toHaveLength(1)
  })

  test.each(['new', 'registered without a key'])(
    'with keys of their own for one host name, %s: one is active, the others wait',
    async (kind) => {
      if (kind !== 'new')
        await addSystem(
          store.database.db,
          { hostname, environment: null, flakeUrl: null, configuration: null, pinnedPath: null },
          false,
        )
      const tokens = await Promise.all(twenty.map(() => createToken()))
      const outcomes = await Promise.all(tokens.map(({ token }) => ask(token)))
      expect(outcomes.filter(({ result }) => result === 'active')).toHaveLength(1)
      expect(outcomes.filter(({ result }) => result === 'pending')).toHaveLength(19)
    },
  )
})

describe('a key added by an operator', () => {
  test('belongs to one system for ever, and works again unless it was revoked', async () => {
    const system = await addStoredSystem(store.database.db, hostname)
    const other = await addStoredSystem(store.database.db, `other-${hostname}`)
    const given = { id: system.key.id, publicKey: system.key.publicKey, declared: false }
    expect(await addKey(store.database.db, { ...given, systemId: system.systemId })).toBe('already-there')
    expect(await addKey(store.database.db, { ...given, systemId: other.systemId })).toBe('of-another-system')
    expect(await revokeKey(store.database.db, other.systemId, system.key.id)).toBe(false)
    expect(await revokeKey(store.database.db, system.systemId, system.key.id)).toBe(true)
    const { rows: before } = await sql`select * from keys where id = ${system.key.id}`.execute(
      store.database.db,
    )
    expect(await revokeKey(store.database.db, system.systemId, system.key.id)).toBe(true)
    expect(await addKey(store.database.db, { ...given, systemId: system.systemId })).toBe('revoked')
    const { rows: after } = await sql`select * from keys where id = ${system.key.id}`.execute(
      store.database.db,
    )
    expect(after).toEqual(before)
  })
})
