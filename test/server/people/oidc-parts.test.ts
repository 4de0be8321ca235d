import { expect, test } from 'vitest'
import { groupsOf, roleOf } from '../../../src/server/oidc/groups.ts'
import { localPath } from '../../../src/server/oidc/return-path.ts'

test.each([
  '/',
  '/systems',
  '/systems?drift=behind&text=a%20b#top',
  '/systems/web1/..%2f..',
  '/@example.org',
  '/redirect?to=https://example.org',
])('%s is a path to go on to', (path) => {
  expect(localPath(path)).toBe(path)
})

test.each([
  undefined,
  '',
  'systems',
  'https://example.org',
  'https:/example.org',
  '//example.org',
  '///example.org',
  '/\\example.org',
  '\\\\example.org',
  '/\t/example.org',
  '/\n/example.org',
  '\t//example.org',
  '/.//example.org',
  '/..//example.org',
  '/%2e//example.org',
  '/a/..//example.org',
  ' /systems',
  '/systems\r\nset-cookie: a=b',
  'javascript:alert(1)',
  `/${'a'.repeat(3000)}`,
])('%j leads nowhere but to the start', (path) => {
  expect(localPath(path)).toBe('/')
})

const GROUPS = { viewer: ['staff'], operator: ['infra'], admin: ['leads', '/infra/leads'] }

test.each([
  [['staff', 'leads', 'infra'], { role: 'admin', group: 'leads' }],
  [['/infra/leads'], { role: 'admin', group: '/infra/leads' }],
  [['infra', 'staff'], { role: 'operator', group: 'infra' }],
  [['staff'], { role: 'viewer', group: 'staff' }],
  [['Staff', 'lead', 'admin', ''], null],
  [[], null],
])('of the groups %j the highest role counts: %j', (groups, expected) => {
  expect(roleOf(groups, GROUPS)).toEqual(expected)
})

test('no group gives a role where none is mapped', () => {
  expect(roleOf(['admin', 'viewer', ''], { viewer: [], operator: [], admin: [] })).toBeNull()
})

test.each([
  [
    ['a', 'b'],
    ['a', 'b'],
  ],
  ['a', ['a']],
  [undefined, []],
  [null, []],
  [{ admin: true }, []],
  [['a', 1, null, ['b'], { name: 'c' }], ['a']],
])('the claim %j names the groups %j', (claim, groups) => {
  expect(groupsOf(claim)).toEqual(groups)
})
