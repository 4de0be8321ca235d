import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { exampleFile } from '../../src/lib/config/describe.ts'
import { runCli } from '../support/cli.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const TOML = `[database]
host = "db"
password = "hunter2"

[server]
port = 4000

[[systems]]
hostname = "web1"
`

async function directoryWith(toml: string): Promise<string> {
  const cwd = await temporaryDirectory()
  await writeFile(join(cwd, 'config.toml'), toml)
  return cwd
}

test('what is in effect is printed, defaults as comments, secrets masked', async () => {
  const cwd = await directoryWith(TOML)
  const env = { CRYSTAL_FORGE__SERVER__HOST: '127.0.0.1' }
  const { code, stdout, stderr } = await runCli(['check-config'], { cwd, env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = stdout.split('\n')
  expect(lines[0]).toBe(`# ${cwd}/config.toml`)
  expect(lines).toContain('host = "db"')
  expect(lines).toContain('password = "<secret>"')
  expect(lines).toContain('host = "127.0.0.1"  # CRYSTAL_FORGE__SERVER__HOST')
  expect(lines).toContain('port = 4000')
  expect(lines).toContain('# workers = 2')
  expect(lines).toContain('# configuration = "web1"')
  expect(parse(stdout)).toMatchObject({
    server: { host: '127.0.0.1', port: 4000 },
    systems: [{ hostname: 'web1' }],
  })
  expect(stdout).not.toContain('hunter2')
})

test('--json prints the same, and where each value was given', async () => {
  const cwd = await directoryWith(TOML)
  const env = { CRYSTAL_FORGE__LIVENESS__LATE_AFTER: '120s' }
  const { stdout } = await runCli(['check-config', '--json'], { cwd, env })
  const file = join(cwd, 'config.toml')
  expect(JSON.parse(stdout)).toMatchObject({
    file,
    database: { host: 'db', port: 5432, password: '<secret>', password_file: null },
    server: { port: 4000, state_dir: expect.stringMatching(/crystal_forge$/), public_url: null },
    liveness: { late_after: '2m', offline_after: '15m' },
    systems: [{ hostname: 'web1', configuration: 'web1', public_keys: [] }],
    flakes: [],
    sources: {
      'database.host': file,
      'liveness.late_after': 'CRYSTAL_FORGE__LIVENESS__LATE_AFTER',
      'systems[0].hostname': file,
    },
  })
  expect(stdout).not.toContain('hunter2')
})

test('what is printed of the example is the example', async () => {
  const cwd = await directoryWith(exampleFile())
  const { stdout } = await runCli(['check-config', '--part', 'none'], { cwd })
  // The shortest text of 60s is 1m.
  expect(parse(stdout)).toEqual(parse(exampleFile().replaceAll('"60s"', '"1m"')))
})

test('everything that is wrong is printed, with status 1', async () => {
  const cwd = await directoryWith('[server]\nprot = 1\nport = true\n[database]\npassword = 5')
  const { code, stdout, stderr } = await runCli(['check-config'], { cwd })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr.split('\n')).toEqual([
    'crystal-forge: configuration: 3 problems',
    `  ${cwd}/config.toml: server.prot: unknown key; the nearest known key is "server.port"`,
    `  ${cwd}/config.toml: database.password: must be text in quotes`,
    `  ${cwd}/config.toml: server.port: must be a whole number from 0 to 65535, not true`,
    '',
  ])
})

test('the address of a flake has to lead to a branch of a Git repository', async () => {
  const cwd = await directoryWith(
    '[[flakes]]\nurl = "github:yourorg/configs?rev=hunter2"\n[[flakes]]\nurl = "flake:hunter2"\n' +
      '[[systems]]\nhostname = "web1"\nflake_url = "path:/srv/hunter2"\n',
  )
  const { code, stderr } = await runCli(['check-config'], { cwd })
  expect(code).toBe(1)
  const address = 'must be a Git URL such as "git+https://github.com/yourorg/nixos-configs"'
  expect(stderr.split('\n')).toEqual([
    'crystal-forge: configuration: 3 problems',
    `  ${cwd}/config.toml: flakes[0].url: must not pin a revision ("?rev="): a branch is followed`,
    `  ${cwd}/config.toml: flakes[1].url: ${address}`,
    `  ${cwd}/config.toml: systems[0].flake_url: ${address}`,
    '',
  ])
  const server = await runCli(['server'], { cwd })
  expect(server.code).toBe(1)
  expect(server.stderr).toContain('flakes[1].url: must be a Git URL')
})

test('secret files have to be readable, unless --part says whose are read', async () => {
  const cwd = await directoryWith('[database]\nhost = "db"\npassword_file = "/nonexistent/password"')
  expect(await runCli(['check-config'], { cwd })).toMatchObject({
    code: 1,
    stderr: `crystal-forge: configuration: ${cwd}/config.toml: database.password_file: cannot read the secret file /nonexistent/password (ENOENT)\n`,
  })
  expect(await runCli(['check-config', '--part', 'none'], { cwd })).toMatchObject({ code: 0 })
  expect(await runCli(['check-config', '--part', 'nonsense'], { cwd })).toMatchObject({ code: 2 })
})

test('a CONFIG_PATH that is not there is one line', async () => {
  const cwd = await directoryWith(TOML)
  expect(await runCli(['check-config'], { cwd, env: { CONFIG_PATH: '/nonexistent.toml' } })).toMatchObject({
    code: 1,
    stderr:
      'crystal-forge: configuration: /nonexistent.toml: CONFIG_PATH names it, but there is no such file\n',
  })
})
