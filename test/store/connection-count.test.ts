import { expect, onTestFinished, test } from 'vitest'
import { createLogger } from '../../src/lib/log.ts'
import { embeddedConnections, warnOfFewConnections } from '../../src/store/connection-count.ts'
import { createTestDatabase } from '../support/database.ts'

const needs = (processes: number, each: number) => ({ max_connections: each, server: { processes } })

test('a server that may open more connections than PostgreSQL allows says so, and one that may not is quiet', async () => {
  const { database, drop } = await createTestDatabase()
  onTestFinished(drop)
  const logged: string[] = []
  const log = createLogger({ destination: { write: (line) => void logged.push(line) } })
  await warnOfFewConnections(database.db, needs(4, 10), log)
  expect(logged).toEqual([])
  await warnOfFewConnections(database.db, needs(64, 10), log)
  expect(logged).toHaveLength(1)
  expect(JSON.parse(logged[0] ?? '')).toMatchObject({ level: 'warn', needed: 896 })
})

test('the embedded PostgreSQL allows what all processes need, and never less than usual', () => {
  expect(embeddedConnections(needs(1, 10))).toBe(100)
  expect(embeddedConnections(needs(8, 10))).toBe(132)
  expect(embeddedConnections(needs(2, 100))).toBe(228)
})
