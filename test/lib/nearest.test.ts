import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { editDistance, nearest } from '../../src/lib/nearest.ts'

test('the nearest name takes the fewest edits', () => {
  expect(nearest('prot', ['host', 'port', 'user'])).toBe('port')
  expect(nearest('pasword_file', ['password', 'password_file'])).toBe('password_file')
  expect(nearest('x', [])).toBeUndefined()
})

test('the distance is that of single edits', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3)
  expect(editDistance('', 'abc')).toBe(3)
})

test('the distance is a metric', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '_'), maxLength: 8 })
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a))
      expect(editDistance(a, b) === 0).toBe(a === b)
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c))
    }),
  )
})
