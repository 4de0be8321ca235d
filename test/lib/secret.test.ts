import { format, inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Secret } from '../../src/lib/secret.ts'

test('a secret is only given out by reveal', () => {
  const secret = new Secret('hunter2')
  expect(secret.reveal()).toBe('hunter2')
  const printed = [
    String(secret),
    ['a', secret].join(),
    JSON.stringify({ secret }),
    inspect({ nested: { secret } }, { showHidden: true, depth: 9 }),
    format('%s %o %j', secret, secret, secret),
    Object.entries(secret).join(),
  ]
  for (const text of printed) expect(text).not.toContain('hunter2')
  expect(String(secret)).toBe('<secret>')
})
