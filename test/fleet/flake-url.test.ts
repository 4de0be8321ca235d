import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseFlakeUrl } from '../../src/fleet/flake-url.ts'

const remoteOf = (text: string): string => parseFlakeUrl(text).remote

test.each([
  ['git+https://git.example.org/ops/configs', 'https://git.example.org/ops/configs'],
  ['git+https://git.example.org:8443/ops/configs.git', 'https://git.example.org:8443/ops/configs.git'],
  ['git+http://git.example.org/configs', 'http://git.example.org/configs'],
  ['git+ssh://git@git.example.org/ops/configs', 'ssh://git@git.example.org/ops/configs'],
  ['git+file:///srv/git/configs', '/srv/git/configs'],
  ['git+file:///srv/my%20configs', '/srv/my configs'],
  ['github:yourorg/configs', 'https://github.com/yourorg/configs.git'],
  ['github:yourorg/configs?host=github.example.org', 'https://github.example.org/yourorg/configs.git'],
  ['gitlab:group%2Fsubgroup/configs', 'https://gitlab.com/group/subgroup/configs.git'],
  ['gitlab:group/configs?host=gitlab.example.org', 'https://gitlab.example.org/group/configs.git'],
  ['sourcehut:~you/configs', 'https://git.sr.ht/~you/configs'],
  ['https://git.example.org/configs.git', 'https://git.example.org/configs.git'],
  ['http://[2001:db8::1]:3000/configs.git', 'http://[2001:db8::1]:3000/configs.git'],
  ['ssh://git@git.example.org:2222/configs.git', 'ssh://git@git.example.org:2222/configs.git'],
  ['file:///srv/git/configs.git', '/srv/git/configs.git'],
  ['file://localhost/srv/git/configs', '/srv/git/configs'],
  ['git@github.com:yourorg/configs.git', 'git@github.com:yourorg/configs.git'],
  ['/srv/git/configs/', '/srv/git/configs'],
])('of %s Git is asked for %s', (text, remote) => {
  expect(parseFlakeUrl(text)).toMatchObject({ remote, branch: null, directory: null, submodules: false })
})

test('branch, directory and submodules come from the query', () => {
  expect(
    parseFlakeUrl('git+ssh://git@git.example.org/configs?ref=release/25.11&dir=hosts%2Fprod/&submodules=1'),
  ).toEqual({
    remote: 'ssh://git@git.example.org/configs',
    branch: 'release/25.11',
    directory: 'hosts/prod',
    submodules: true,
    repository: 'git.example.org/configs',
  })
  expect(parseFlakeUrl('/srv/git/configs?dir=hosts').directory).toBe('hosts')
  expect(parseFlakeUrl('git@git.example.org:configs?submodules=0').submodules).toBe(false)
})

test.each([
  ['github:yourorg/configs/main', 'main'],
  ['github:yourorg/configs/feature/x', 'feature/x'],
  ['gitlab:group/configs/feature%2Fx', 'feature/x'],
  ['github:yourorg/configs?ref=refs/heads/main', 'main'],
  ['github:yourorg/configs?ref=HEAD', null],
])('the branch of %s is %s', (text, branch) => {
  expect(parseFlakeUrl(text).branch).toBe(branch)
})

describe('refused without being quoted:', () => {
  test.each([
    [
      'a revision',
      'github:a/hunter2?rev=0123456789012345678901234567890123456789',
      'must not pin a revision',
    ],
    [
      'a revision as ref',
      'github:a/hunter2/0123456789012345678901234567890123456789',
      'must not pin a revision',
    ],
    ['an unknown query member', 'git+https://h/x?hunter2=1', 'must have no query but'],
    ['a token without a name', 'git+https://h/x?hunter2', 'must have no query but'],
    ['a member twice', 'git+https://h/hunter2?ref=a&ref=b', 'must hold "?ref=" once'],
    ['two branches', 'github:a/hunter2/main?ref=b', 'must not name two branches'],
    ['a password', 'git+https://a:hunter2@h/x', 'must not hold a user name'],
    ['a user name over HTTPS', 'https://hunter2@h/x.git', 'must not hold a user name'],
    ['a token in the query', 'https://h/x?access_token=hunter2', 'must not hold a user name'],
    ['an option', '--upload-pack=hunter2', 'must be a Git URL'],
    ['an option as host', 'ssh://-oProxyCommand=hunter2/x', 'must be a Git URL'],
    ['an option as scp host', 'git@-oProxyCommand=hunter2:x', 'must be a Git URL'],
    ['an option as account', 'ssh://-ohunter2@h/x', 'must name an account'],
    ['an option as scp path', 'git@h:-hunter2', 'must be a Git URL'],
    ['an option as branch', 'git+https://h/hunter2?ref=--upload-pack=x', 'must name a branch'],
    ['a tag', 'git+https://h/hunter2?ref=refs/tags/v1', 'must name a branch'],
    ['a control character', 'git+https://h/hunter2\n', 'must be a Git URL'],
    ['an encoded control character', 'git+https://h/hunter2%00', 'must be a Git URL'],
    ['a directory above', 'git+https://h/hunter2?dir=a/../../b', 'must name a directory within'],
    ['an encoded directory above', 'git+https://h/hunter2?dir=%2e%2e', 'must name a directory within'],
    ['an absolute directory', 'git+https://h/hunter2?dir=/etc', 'must name a directory within'],
    ['a path above', '/srv/../hunter2', 'must be a Git URL'],
    ['an archive', 'https://h/hunter2.tar.gz', 'not of an archive'],
    ['an attribute', 'github:a/hunter2#host', 'must not name an attribute'],
    ['a host of another form', 'git+https://h/hunter2?host=x', 'must not hold "?host="'],
    ['a bad host', 'github:a/hunter2?host=x/y', 'must name a host'],
    ['no submodule flag', 'git+https://h/hunter2?submodules=maybe', 'must hold "?submodules=1"'],
    ['broken encoding', 'git+https://h/x?ref=%hunter2', 'must be percent-encoded'],
    ['another transport', 'ext::sh -c hunter2', 'must be a Git URL'],
    ['another transport without spaces', 'ext::hunter2', 'must be a Git URL'],
    ['an unauthenticated transport', 'git://h/hunter2', 'must be a Git URL'],
    ['the registry', 'flake:hunter2', 'must be a Git URL'],
    ['a relative path', './hunter2', 'must be a Git URL'],
    ['no repository', 'https://hunter2', 'must be a Git URL'],
  ])('%s', (_what, text, message) => {
    const error = (() => {
      try {
        return parseFlakeUrl(text)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(Error)
    expect(String(error)).toContain(message)
    expect(String(error)).not.toContain('hunter2')
  })
})

test('whatever the text, what Git gets is no option, no command and no way out', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'git+',
      'https://',
      'ssh://',
      'file://',
      'github:',
      'git@',
      '::',
      '/',
      '..',
      '-',
      '?ref=',
      '?dir=',
      'h',
      '%2e',
      ':',
    ),
    fc.string({ unit: 'binary', maxLength: 5 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      let url
      try {
        url = parseFlakeUrl(pieces.join(''))
      } catch (error) {
        expect(String(error)).toMatch(/^Error: must /)
        return
      }
      expect(url.remote).toMatch(/^(https?:\/\/[^-]|ssh:\/\/[^-]|\w[\w.-]*@[^-]|\/)/)
      expect(url.remote).not.toMatch(/\p{Cc}|^[\w+.-]*::|\/\.\.(\/|$)/u)
      expect(url.branch ?? '').not.toMatch(/^-|\.\.|\p{Cc}/u)
      expect(url.directory ?? '').not.toMatch(/^[/]|(^|\/)\.\.(\/|$)|\p{Cc}/u)
    }),
    { numRuns: 3000 },
  )
})

test('an absolute path is itself', () => {
  expect(remoteOf('/srv/git/%20')).toBe('/srv/git/%20')
})
