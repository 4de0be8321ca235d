import * as fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { binaryArray, ELEMENT, type ElementType } from '../../src/store/binary-array.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let store: TestDatabase
beforeAll(async () => {
  store = await createTestDatabase()
})
afterAll(() => store.drop())

/** What PostgreSQL reads in an array, each element as the text that `as` makes of it. */
async function readBack<T>(
  type: ElementType<T>,
  cast: string,
  values: readonly (T | null)[],
  as: string,
): Promise<(string | null)[]> {
  const { rows } = await sql<{ text: string | null }>`
    select ${sql.raw(as)} as text
    from unnest(${binaryArray(type, values)}::${sql.raw(cast)}[]) with ordinality as i (value, place) order by place`.execute(
    store.database.db,
  )
  return rows.map(({ text }) => text)
}

const orNull = <T>(value: fc.Arbitrary<T>) => fc.array(fc.option(value, { nil: null }), { maxLength: 20 })
const hex = (length: number) =>
  fc
    .uint8Array({ minLength: length / 2, maxLength: length / 2 })
    .map((bytes) => Buffer.from(bytes).toString('hex'))

function holds<T>(
  type: ElementType<T>,
  cast: string,
  {
    values,
    as = 'value::text',
    expected = String,
  }: { values: fc.Arbitrary<T>; as?: string; expected?: (value: T) => string },
): Promise<void> {
  return fc.assert(
    fc.asyncProperty(orNull(values), async (list) => {
      const texts = list.map((value) => (value === null ? null : expected(value)))
      expect(await readBack(type, cast, list, as)).toEqual(texts)
    }),
    { numRuns: 60 },
  )
}

const safe = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }

test('PostgreSQL reads from binary arrays the numbers that were written', async () => {
  await holds(ELEMENT.bigint, 'bigint', { values: fc.integer(safe) })
  await holds(ELEMENT.integer, 'integer', { values: fc.integer() })
  await holds(ELEMENT.smallint, 'smallint', { values: fc.integer({ min: -32_768, max: 32_767 }) })
  await holds(ELEMENT.float8, 'float8', {
    values: fc.double({ noNaN: true, noDefaultInfinity: true }),
    as: "encode(float8send(value), 'hex')",
    expected: (value) => {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleBE(value)
      return bytes.toString('hex')
    },
  })
})

test('PostgreSQL reads from binary arrays the texts and documents that were written', async () => {
  const texts = fc.string({ unit: 'grapheme', maxLength: 200 }).filter((text) => !text.includes('\0'))
  await holds(ELEMENT.text, 'text', { values: texts })
  await holds(ELEMENT.jsonb, 'jsonb', {
    values: texts.map((text) => JSON.stringify(text)),
    as: "value #>> '{}'",
    expected: (json) => String(JSON.parse(json)),
  })
})

test('PostgreSQL reads from binary arrays the ids, times and truths that were written', async () => {
  await holds(ELEMENT.uuid, 'uuid', { values: fc.uuid() })
  await holds(ELEMENT.digest, 'bytea', {
    values: hex(64).map((digits) => `sha256:${digits}`),
    as: "'sha256:' || encode(value, 'hex')",
  })
  await holds(ELEMENT.timestamptz, 'timestamptz', {
    values: fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
    as: 'to_char(value at time zone \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\')',
    expected: (date) => date.toISOString(),
  })
  await holds(ELEMENT.boolean, 'boolean', { values: fc.boolean() })
})
