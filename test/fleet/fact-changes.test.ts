import { expect, test } from 'vitest'
import { factChanges } from '../../src/fleet/fact-changes.ts'

test.each([
  ['equal values', { a: 1, b: [{ c: 'x' }] }, { b: [{ c: 'x' }], a: 1 }, []],
  ['a member', { a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }, [['/a/c', 2, 3]]],
  [
    'one that is new, and one that is gone',
    { a: 1 },
    { b: 2 },
    [
      ['/a', 1, null],
      ['/b', null, 2],
    ],
  ],
  ['null and not there', { a: null }, {}, []],
  ['an object of a list', { d: [{ n: 1 }, { n: 2 }] }, { d: [{ n: 1 }, { n: 3 }] }, [['/d/1/n', 2, 3]]],
  [
    'a list that grew',
    { d: [{ n: 1 }] },
    { d: [{ n: 0 }, { n: 1 }] },
    [['/d', [{ n: 1 }], [{ n: 0 }, { n: 1 }]]],
  ],
  ['a list of texts', { d: ['a', 'b'] }, { d: ['a', 'c'] }, [['/d', ['a', 'b'], ['a', 'c']]]],
  ['another kind of value', { a: { b: 1 } }, { a: null }, [['/a', { b: 1 }, null]]],
  ['a name that a pointer escapes', { 'a/b~c': 1 }, { 'a/b~c': 2 }, [['/a~1b~0c', 1, 2]]],
])('%s', (_name, before, after, changes) => {
  expect(factChanges(before, after).map((each) => [each.path, each.before, each.after])).toEqual(changes)
})
