import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApiToken, listApiTokens, revokeApiToken, useApiToken } from '../../src/store/api-tokens.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let store: TestDatabase
beforeAll(async () => {
  store = await createTestDatabase()
})
afterAll(() => store.drop())

const create = (expiresAt: Date | null = null) =>
  createApiToken(store.database.db, { name: 'dashboard', role: 'viewer', expiresAt })
const use = (token: string) => useApiToken(store.database.db, token)
const lastUse = async (id: number) =>
  (await listApiTokens(store.database.db)).find((token) => token.id === id)?.last_used_at

describe('an API token', () => {
  test('is known by its text, and has a name and a role', async () => {
    const { id, token } = await create()
    expect(token).toMatch(/^cfa_[A-Za-z0-9_-]{43}$/)
    expect(await use(token)).toEqual({ id, name: 'dashboard', role: 'viewer' })
  })

  test('is stored hashed', async () => {
    const { token } = await create()
    const { rows } = await sql<{ row: string }>`select api_tokens::text as row from api_tokens`.execute(
      store.database.db,
    )
    for (const { row } of rows) expect(row).not.toContain(token)
  })

  test('is nothing to any other text', async () => {
    const { token } = await create()
    for (const other of [`${token}x`, token.slice(0, -1), token.toUpperCase(), ''])
      expect(await use(other)).toBeNull()
  })

  test('ends when it expires, and is still listed', async () => {
    const { id, token } = await create(new Date(Date.now() - 1))
    expect(await use(token)).toBeNull()
    expect((await listApiTokens(store.database.db)).map((each) => each.id)).toContain(id)
    const later = await create(new Date(Date.now() + 60_000))
    expect(await use(later.token)).toMatchObject({ id: later.id })
  })

  test('ends when it is revoked, at once and for ever', async () => {
    const { id, token } = await create()
    expect(await revokeApiToken(store.database.db, id)).toBe(true)
    expect(await use(token)).toBeNull()
    expect(await revokeApiToken(store.database.db, id)).toBe(false)
    expect((await listApiTokens(store.database.db)).map((each) => each.id)).not.toContain(id)
  })

  test('writes its last use down at most every five minutes: a read is no write', async () => {
    const { id, token } = await create()
    expect(await lastUse(id)).toBeNull()
    await use(token)
    const first = await lastUse(id)
    expect(first).toBeInstanceOf(Date)
    await use(token)
    expect(await lastUse(id)).toEqual(first)
    await sql`update api_tokens set last_used_at = now() - interval '301 seconds' where id = ${id}`.execute(
      store.database.db,
    )
    await use(token)
    expect((await lastUse(id))?.getTime()).toBeGreaterThanOrEqual(first?.getTime() ?? Infinity)
  })
})
