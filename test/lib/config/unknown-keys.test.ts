import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errorOf, problemsOf } from '../../support/config.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const UNKNOWN: [toml: string, problem: string][] = [
  ['[database]\nprot = 1', 'database.prot: unknown key; the nearest known key is "database.port"'],
  [
    '[database]\npublic_url = "x"',
    'database.public_url: unknown key; the nearest known key is "server.public_url"',
  ],
  ['[databse]\nport = 1', 'databse: unknown section; the nearest known section is "database"'],
  ['server_host = "x"', 'server_host: unknown section; the nearest known key is "client.server_host"'],
  ['[[system]]\nhostname = "x"', 'system: unknown section; the nearest known section is "systems"'],
  [
    '[[systems]]\nhostname = "x"\nflake = "y"',
    'systems[0].flake: unknown key; the nearest known key is "systems.flake_url"',
  ],
  [
    '[[flakes]]\nurl = "x"\nwebhook_secret = "y"',
    'flakes[0].webhook_secret: unknown key; the nearest known key is "flakes.webhook_secret_file"',
  ],
  ['[server.tls]\ncert = "x"', 'server.tls: unknown key; the nearest known key is "server.host"'],
  ['[[server]]\nport = 1', 'server: must be a table, [server]'],
  ['[systems]\nhostname = "x"', 'systems: must be an array of tables, [[systems]]'],
  ['systems = [1]', 'systems[0]: must be a table'],
  ['[server]\ntoString = 1', 'server.toString: unknown key; the nearest known key is "server.host"'],
]

test.each(UNKNOWN)('%j is refused', async (toml, problem) => {
  expect(await problemsOf({ toml })).toContain(problem)
})

const VARIABLES: [name: string, message: string][] = [
  [
    'CRYSTAL_FORGE__DATABSE__HOST',
    'unknown variable; the nearest known one is CRYSTAL_FORGE__DATABASE__HOST',
  ],
  ['CRYSTAL_FORGE__SERVER__PROT', 'unknown variable; the nearest known one is CRYSTAL_FORGE__SERVER__PORT'],
  ['CRYSTAL_FORGE__server__port', 'unknown variable; the nearest known one is'],
  [
    'CRYSTAL_FORGE__SYSTEMS__0__HOSTNAME',
    'unknown variable; [[systems]] is given as a JSON array in CRYSTAL_FORGE__SYSTEMS',
  ],
]

test.each(VARIABLES)('the variable %s is refused', async (name, message) => {
  const error = await errorOf({ env: { [name]: '1' } })
  expect(error?.message).toContain(`configuration: ${name}: ${message}`)
})

test('variables of other programs are left alone', async () => {
  const env = { CRYSTAL_FORGE_URL: 'x', CRYSTAL_FORGE_TOKEN: 'x', CRYSTAL_FORGE: 'x', PATH: '/bin' }
  expect(await problemsOf({ env })).toEqual([])
})

test.each(['{"hostname": "a"}', 'web1', '[1]', '[{"hostname": 1}]', 'null'])(
  'an array of tables in a variable cannot be %s',
  async (value) => {
    const error = await errorOf({ env: { CRYSTAL_FORGE__SYSTEMS: value } })
    expect(error?.problems[0]).toMatchObject({ source: 'CRYSTAL_FORGE__SYSTEMS' })
  },
)

test('every problem is listed, with the file or the variable and the path of the key', async () => {
  const cwd = await temporaryDirectory()
  const error = await errorOf({
    cwd,
    toml: '[server]\nprot = 1\nport = "x"\n[[systems]]\nenvironment = "e"',
    env: { CRYSTAL_FORGE__CLIENT__SERVER_PORT: '0', CRYSTAL_FORGE__FLAKES: '[{}]' },
  })
  const file = join(cwd, 'config.toml')
  expect(error?.message.split('\n')).toEqual([
    'configuration: 5 problems',
    `  ${file}: server.prot: unknown key; the nearest known key is "server.port"`,
    `  ${file}: server.port: must be a whole number from 0 to 65535, not "x"`,
    '  CRYSTAL_FORGE__CLIENT__SERVER_PORT: client.server_port: must be a whole number from 1 to 65535, not 0',
    '  CRYSTAL_FORGE__FLAKES: flakes[0].url: is missing',
    `  ${file}: systems[0].hostname: is missing`,
  ])
})
