import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { ConfigPart } from '../../../src/lib/config/inspect.ts'
import { formatEffective } from '../../../src/lib/config/effective.ts'
import { inspectConfig } from '../../../src/lib/config/inspect.ts'
import { SECTIONS, TABLES } from '../../../src/lib/config/schema.ts'
import { createLogger } from '../../../src/lib/log.ts'
import type { Secret } from '../../../src/lib/secret.ts'
import { configOf, errorOf, problemsOf } from '../../support/config.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const PLANTED = 'planted-hunter2'

/** `[section]` or `[[table]]`, key, for every key that holds a secret or names a file of one. */
const SECRET_KEYS = [
  ...Object.entries(SECTIONS).map(([name, { keys }]) => ({ name, keys, open: `[${name}]` })),
  ...Object.entries(TABLES).map(([name, { keys }]) => ({ name, keys, open: `[[${name}]]` })),
].flatMap(({ name, keys, open }) =>
  Object.entries(keys)
    .filter(([, key]) => key.secret)
    .map(([key, { example }]) => ({ path: `${name}.${key}`, open, key, isList: Array.isArray(example) })),
)

const OTHERS: Record<string, string> = { '[[flakes]]': 'url = "github:a/b"', '[database]': 'host = "db"' }

test('the keys with secrets are known', () => {
  expect(SECRET_KEYS.map(({ path }) => path)).toEqual([
    'database.password',
    'database.password_file',
    'server.tls_key_file',
    'server.webhook_secret_files',
    'oidc.client_secret_file',
    'client.enrollment_token_file',
    'flakes.webhook_secret_file',
    'flakes.ssh_key_file',
    'flakes.netrc_file',
    'flakes.access_tokens_file',
  ])
})

test.each(SECRET_KEYS)(
  'a secret written where $path belongs never shows in an error',
  async ({ open, key }) => {
    const values = [`"${PLANTED}"`, `["${PLANTED}"]`, `{ x = "${PLANTED}" }`, `"""\n${PLANTED}"""`]
    for (const value of values) {
      const toml = `${open}\n${OTHERS[open] ?? ''}\n${key} = ${value}\nunknown = 1`
      const error = await errorOf({ toml, part: 'all' })
      expect(error).toBeDefined()
      expect(`${inspect(error, { depth: 9 })}${error?.stack}`).not.toContain(PLANTED)
    }
  },
)

test.each(SECRET_KEYS)('a syntax error beside $path does not show it', async ({ open, key }) => {
  for (const toml of [
    `${open}\n${key} = "${PLANTED}`,
    `${open}\nx = = 1\n${key} = "${PLANTED}"`,
    `${key} = ${PLANTED}`,
  ]) {
    const error = await errorOf({ toml })
    expect(error?.message).toContain('is not valid TOML')
    expect(inspect(error, { depth: 9 })).not.toContain(PLANTED)
  }
})

test('a variable that is not JSON is not shown', async () => {
  for (const path of ['flakes', 'systems', 'server.webhook_secret_files']) {
    const name = path.toUpperCase().replace('.', '__')
    const error = await errorOf({ env: { [`CRYSTAL_FORGE__${name}`]: `[{"x": "${PLANTED}"` } })
    expect(error?.message).toBe(`configuration: CRYSTAL_FORGE__${name}: ${path}: is not valid JSON`)
    expect(inspect(error, { depth: 9 })).not.toContain(PLANTED)
  }
})

test('an unknown variable or key is named without its value', async () => {
  const error = await errorOf({
    toml: `[database]\npasword = "${PLANTED}"`,
    env: { CRYSTAL_FORGE__DATABASE__PASSWRD: PLANTED },
  })
  expect(error?.problems).toHaveLength(2)
  expect(error?.message).not.toContain(PLANTED)
})

test.each(['server.public_url', 'client.server_url'])(
  'a password in %s is refused and not shown',
  async (path) => {
    const [section, key] = path.split('.')
    expect(await problemsOf({ toml: `[${section}]\n${key} = "https://user:${PLANTED}@host"` })).toContain(
      `${path}: must not hold a user name or password`,
    )
  },
)

test('a private key in place of its path is refused and not shown', async () => {
  const key = '/u3mIlfaXViKSGWDQfyheFphCzc9EpzL8M5FzgylJ38='
  const problems = await problemsOf({ toml: `[client]\nserver_host = "a"\nprivate_key = "${key}"` })
  expect(problems).toEqual(['client.private_key: must be the path of a file, not the key itself'])
})

/** A configuration with every secret, each in a file of its own whose content is its name. */
async function everySecret(): Promise<{ cwd: string; toml: string }> {
  const cwd = await temporaryDirectory()
  const certificate = join(cwd, 'certificate')
  await writeFile(certificate, 'certificate')
  const lines = new Map([
    ['[database]', ['host = "db"']],
    ['[server]', [`tls_cert_file = "${certificate}"`, 'public_url = "https://a.example"']],
    ['[oidc]', ['issuer = "https://id.example"', 'client_id = "forge"', 'admin_groups = ["a"]']],
    ['[client]', ['server_host = "a"']],
    ['[[flakes]]', ['url = "github:a/b"']],
  ])
  for (const { path, open, key, isList } of SECRET_KEYS) {
    if (key === 'password') continue
    await writeFile(join(cwd, path), `${PLANTED} ${path}\n`)
    lines.get(open)?.push(`${key} = ${isList ? `["./${path}"]` : `"./${path}"`}`)
  }
  return { cwd, toml: [...lines].map(([open, keys]) => [open, ...keys, ''].join('\n')).join('\n') }
}

const reveal = (secret: Secret | null | undefined): string | undefined => secret?.reveal()

test('secrets are read from their files without the newline at the end', async () => {
  const config = await configOf({ ...(await everySecret()), part: 'all' })
  expect(reveal(config.database?.password)).toBe(`${PLANTED} database.password_file`)
  expect(reveal(config.server.tls_key)).toBe(`${PLANTED} server.tls_key_file`)
  expect(config.server.webhook_secrets.map(reveal)).toEqual([`${PLANTED} server.webhook_secret_files`])
  expect(reveal(config.oidc.client_secret)).toBe(`${PLANTED} oidc.client_secret_file`)
  expect(reveal(config.client?.enrollment_token)).toBe(`${PLANTED} client.enrollment_token_file`)
  const [flake] = config.flakes
  expect([flake?.webhook_secret, flake?.ssh_key, flake?.netrc, flake?.access_tokens].map(reveal)).toEqual([
    `${PLANTED} flakes.webhook_secret_file`,
    `${PLANTED} flakes.ssh_key_file`,
    `${PLANTED} flakes.netrc_file`,
    `${PLANTED} flakes.access_tokens_file`,
  ])
})

test('a configuration with every secret can be printed, logged and checked without showing one', async () => {
  const { cwd, toml } = await everySecret()
  const config = await configOf({ cwd, toml, part: 'all' })
  const logged: string[] = []
  createLogger({ destination: { write: (line: string) => logged.push(line) } }).info({ config })
  const effective = formatEffective(inspectConfig({ env: {}, cwd, part: 'all' }))
  const everything = [inspect(config, { depth: 9 }), JSON.stringify(config), ...logged, effective].join('\n')
  expect(everything).toContain('<secret>')
  expect(everything).not.toContain(PLANTED)
})

const READ: [part: ConfigPart, evaluate: boolean, files: string[]][] = [
  ['agent', true, ['client.enrollment_token_file']],
  ['database', true, ['database.password_file']],
  ['none', true, []],
  [
    'server',
    false,
    [
      'database.password_file',
      'server.tls_key_file',
      'server.webhook_secret_files',
      'oidc.client_secret_file',
      'flakes[0].webhook_secret_file',
    ],
  ],
  [
    'server',
    true,
    [
      'database.password_file',
      'server.tls_key_file',
      'server.webhook_secret_files',
      'oidc.client_secret_file',
      'flakes[0].webhook_secret_file',
      'flakes[0].ssh_key_file',
      'flakes[0].netrc_file',
      'flakes[0].access_tokens_file',
    ],
  ],
  [
    'evaluator',
    true,
    [
      'database.password_file',
      'flakes[0].ssh_key_file',
      'flakes[0].netrc_file',
      'flakes[0].access_tokens_file',
    ],
  ],
]

test.each(READ)('part %s (evaluates: %s) reads its own secret files only', async (part, evaluate, files) => {
  const { cwd, toml } = await everySecret()
  // None of the files is there; each that is read is a problem.
  const missing = toml.replaceAll('"./', '"/nonexistent/')
  const env = { CRYSTAL_FORGE__SERVER__EVALUATE: String(evaluate) }
  const error = await errorOf({ cwd, toml: missing, env, part })
  expect(error?.problems.map(({ path }) => path) ?? []).toEqual(files)
  for (const problem of error?.problems ?? []) {
    expect(problem.source).toBe(join(cwd, 'config.toml'))
    expect(problem.message).toMatch(/cannot read the secret file \/nonexistent\/\S+ \(ENOENT\)$/)
  }
})

test('a secret file that is empty, a directory or too large is refused', async () => {
  const cwd = await temporaryDirectory()
  await writeFile(join(cwd, 'empty'), '\n')
  await writeFile(join(cwd, 'large'), PLANTED.repeat(10_000))
  await mkdir(join(cwd, 'directory'))
  const problem = (file: string): Promise<string[]> =>
    problemsOf({ cwd, toml: `[database]\nhost = "db"\npassword_file = "./${file}"` })
  expect(await problem('empty')).toEqual([`database.password_file: the secret file ${cwd}/empty is empty`])
  expect(await problem('large')).toEqual([
    `database.password_file: cannot read the secret file ${cwd}/large (more than 65536 bytes)`,
  ])
  expect(await problem('directory')).toEqual([
    `database.password_file: cannot read the secret file ${cwd}/directory (EISDIR)`,
  ])
})

test('a file that is used by its path has to be readable for those who use it', async () => {
  const toml = '[client]\nserver_url = "https://a"\nca_file = "/nonexistent/ca.pem"'
  expect(await problemsOf({ toml, part: 'agent' })).toEqual([
    'client.ca_file: cannot read the file /nonexistent/ca.pem (ENOENT)',
  ])
  expect(await problemsOf({ toml, part: 'server' })).toEqual([])
})

test('a password in a variable is a secret too', async () => {
  const config = await configOf({
    env: { CRYSTAL_FORGE__DATABASE__HOST: 'db', CRYSTAL_FORGE__DATABASE__PASSWORD: PLANTED },
  })
  expect(config.database?.password?.reveal()).toBe(PLANTED)
  expect(inspect(config, { depth: 9 })).not.toContain(PLANTED)
})

const openSecrets = async (modes: { directory: number; file: number; config: number; toml?: string }) => {
  const cwd = await temporaryDirectory()
  const file = join(cwd, 'secret')
  const toml = modes.toml ?? '[database]\nhost = "db"\npassword_file = "./secret"'
  await writeFile(file, PLANTED)
  await writeFile(join(cwd, 'config.toml'), toml)
  await chmod(file, modes.file)
  await chmod(join(cwd, 'config.toml'), modes.config)
  await chmod(cwd, modes.directory)
  const config = await configOf({ cwd, part: 'server' })
  return config.open_secrets.map((path) => relative(cwd, path))
}

describe('a secret that every user of the machine can read', () => {
  test('is named', async () => {
    expect(await openSecrets({ directory: 0o755, file: 0o644, config: 0o644 })).toEqual(['secret'])
  })

  test('is none of a group alone, and none where nobody else gets to it', async () => {
    expect(await openSecrets({ directory: 0o755, file: 0o640, config: 0o644 })).toEqual([])
    expect(await openSecrets({ directory: 0o750, file: 0o644, config: 0o644 })).toEqual([])
  })

  test('may be the configuration itself', async () => {
    const toml = `[database]\nhost = "db"\npassword = "${PLANTED}"`
    expect(await openSecrets({ directory: 0o755, file: 0o600, config: 0o644, toml })).toEqual(['config.toml'])
    expect(await openSecrets({ directory: 0o755, file: 0o600, config: 0o600, toml })).toEqual([])
  })
})
