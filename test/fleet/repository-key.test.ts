import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { repositoryKey } from '../../src/fleet/repository-key.ts'

test.each([
  'github:YourOrg/Configs',
  'github:yourorg/configs/main?dir=hosts',
  'https://github.com/YourOrg/configs',
  'https://github.com/YourOrg/configs/',
  'https://github.com/yourorg/configs.git',
  'https://GitHub.com:443/yourorg/configs.git/',
  'git+https://github.com/yourorg/configs?ref=main',
  'git://github.com/yourorg/configs.git',
  'ssh://git@github.com/yourorg/configs.git',
  'git+ssh://git@github.com:22/yourorg/configs',
  'git@github.com:yourorg/configs.git',
  'git@github.com:/yourorg/configs',
  'https://someone:token@github.com/yourorg/configs#readme',
])('%s has the key of its repository', (url) => {
  expect(repositoryKey(url)).toBe('github.com/yourorg/configs')
})

test.each([
  ['/srv/git/configs.git', 'file:///srv/git/configs'],
  ['git+file:///srv/git/configs/.git', 'file:///srv/git/configs'],
  ['file://localhost/srv/git/configs', 'file:///srv/git/configs'],
  ['/srv/my configs', 'file:///srv/my%20configs'],
  ['file:///srv/my%20configs', 'file:///srv/my%20configs'],
  ['http://127.0.0.1:3000/Ops/Configs.git', '127.0.0.1:3000/Ops/Configs'],
  ['ssh://git@[2001:DB8::1]:2222/configs', '[2001:db8::1]:2222/configs'],
  ['gitlab:Group%2FSub/configs', 'gitlab.com/group/sub/configs'],
  ['https://git.sr.ht/~you/configs', 'git.sr.ht/~you/configs'],
  ['https://git.sr.ht/%7Eyou/configs', 'git.sr.ht/~you/configs'],
])('the key of %s is %s', (url, key) => {
  expect(repositoryKey(url)).toBe(key)
})

test.each([
  '',
  '/',
  'configs',
  'https://',
  'https://github.com',
  'https://github.com/',
  'https://h/.git',
  'path:/srv/x',
  'https://h/a/%2e%2e/b',
  'https://h/%zz',
  'https://h h/x',
  'https://h:99999/x',
  'mailto:a@example.org',
  '/srv/\0',
  'https://h/\ud800',
])('%j addresses no repository', (url) => {
  expect(repositoryKey(url)).toBeNull()
})

const name = fc
  .stringMatching(/^[A-Za-z0-9_~][A-Za-z0-9._~+ %?#é-]{0,8}$/)
  .filter((text) => !/^\.+$|\.git$/i.test(text))
const host = fc.stringMatching(/^[a-z0-9]{1,8}\.(org|com|example)$/)
const repository = fc.record({ host, path: fc.array(name, { minLength: 1, maxLength: 3 }) })
type Repository = typeof repository extends fc.Arbitrary<infer T> ? T : never

function formsOf({ host: server, path }: Repository): string[] {
  const encoded = path.map(encodeURIComponent).join('/')
  const upper = server.toUpperCase()
  const urls = [
    `https://${server}/${encoded}`,
    `https://${upper}:443/${encoded}.git`,
    `http://someone@${server}/${encoded}/`,
    `git+https://${server}/${encoded}?ref=main&dir=x`,
    `ssh://git@${server}/${encoded}.git`,
    `git+ssh://git@${upper}:22//${encoded}.git/`,
  ]
  const raw = path.join('/')
  return /[?#]/.test(raw) ? urls : [...urls, `git@${server}:${raw}.git`, `git@${upper}:/${raw}`]
}

test('every form of a repository has one key, which is its own key', () => {
  fc.assert(
    fc.property(repository, (value) => {
      const keys = new Set(formsOf(value).map(repositoryKey))
      expect(keys.size).toBe(1)
      const [key] = keys
      expect(key).not.toBeNull()
      expect(repositoryKey(key ?? '')).toBe(key)
    }),
  )
})

const isCaseBlind = (server: string): boolean => server === 'github.com' || server === 'gitlab.com'

test('two repositories never have one key', () => {
  fc.assert(
    fc.property(repository, repository, (one, other) => {
      fc.pre(JSON.stringify(one) !== JSON.stringify(other) && !isCaseBlind(one.host))
      for (const form of formsOf(one)) {
        for (const otherForm of formsOf(other)) expect(repositoryKey(form)).not.toBe(repositoryKey(otherForm))
      }
    }),
  )
})

test('whatever the text, a key is its own key', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'git+',
      'https://',
      'ssh://',
      'file://',
      'github:',
      'git@h:',
      '/',
      '..',
      '.git',
      '...git',
      ':443',
      ':80',
      'h',
      '%2F',
      '%25',
      ':',
    ),
    fc.string({ unit: 'binary', maxLength: 4 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const key = repositoryKey(pieces.join(''))
      if (key !== null) expect(repositoryKey(key)).toBe(key)
    }),
    { numRuns: 5000 },
  )
})
