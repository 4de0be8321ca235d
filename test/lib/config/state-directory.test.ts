import { expect, test } from 'vitest'
import { defaultStateDirectory } from '../../../src/lib/config/state-directory.ts'
import { configOf } from '../../support/config.ts'

const CASES: [name: string, env: Record<string, string>, uid: number, path: string][] = [
  ['the directory of the unit', { STATE_DIRECTORY: '/var/lib/a' }, 0, '/var/lib/a'],
  ['the first of several', { STATE_DIRECTORY: '/var/lib/a:/var/lib/b' }, 1000, '/var/lib/a'],
  ["root's", { HOME: '/root', XDG_STATE_HOME: '/s' }, 0, '/var/lib/crystal_forge'],
  ["the user's of XDG", { HOME: '/home/u', XDG_STATE_HOME: '/s' }, 1000, '/s/crystal_forge'],
  [
    "the user's, when XDG's is relative",
    { HOME: '/home/u', XDG_STATE_HOME: 's' },
    1000,
    '/home/u/.local/state/crystal_forge',
  ],
  ["the user's", { HOME: '/home/u' }, 1000, '/home/u/.local/state/crystal_forge'],
]

test.each(CASES)('the state directory is %s', (_name, env, uid, path) => {
  expect(defaultStateDirectory({ env, uid })).toBe(path)
})

test('server and agent use it unless told otherwise', async () => {
  const config = await configOf({
    toml: '[client]\nserver_host = "forge"\n[server]\nstate_dir = "/srv/forge"',
    env: { STATE_DIRECTORY: '/var/lib/a' },
  })
  expect(config.server.state_dir).toBe('/srv/forge')
  expect(config.client?.state_dir).toBe('/var/lib/a')
})
