import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { PROBLEMS } from '../../src/protocol/problems.ts'

const FILE = join(import.meta.dirname, '..', '..', 'docs', 'errors.md')

let sections: Map<string, string>
beforeAll(async () => {
  const [, ...parts] = (await readFile(FILE, 'utf8')).split(/^## /m)
  sections = new Map(
    parts.map((part) => {
      const end = part.indexOf('\n')
      return [part.slice(0, end), part.slice(end + 1).trim()]
    }),
  )
})

test('docs/errors.md has a section for every problem type, in the order of the table, and no other', () => {
  expect([...sections.keys()]).toEqual(Object.keys(PROBLEMS))
})

test.each(Object.entries(PROBLEMS))(
  'its section on %s begins with the status, and says more',
  (name, { status }) => {
    const text = sections.get(name) ?? ''
    expect(text).toMatch(new RegExp(`^Status ${status}\\. \\S`))
    expect(text.length).toBeGreaterThan(60)
  },
)

test('every problem type it mentions exists', () => {
  const mentioned = [...sections.values()].join('\n').matchAll(/result="([a-z-]+)"|problem:([a-z-]+)/g)
  const names = new Set(Object.keys(PROBLEMS))
  for (const [, metric, urn] of mentioned) expect(names).toContain(metric ?? urn)
})
