import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const run = (args: string[], env: Record<string, string> = {}) =>
  runCli(['systems', 'list', ...args], { cwd: '/', env })
const url = () => ({ CRYSTAL_FORGE_URL: server.url })
const TOKEN = 'cfa_the-text-of-a-token'

test('without an address the command says how to give one, and asks nobody', async () => {
  expect(await run([], { CRYSTAL_FORGE_TOKEN: TOKEN })).toMatchObject({
    code: 2,
    stderr:
      'crystal-forge: where is the server? Give --url or set CRYSTAL_FORGE_URL, such as https://forge.example.org or ' +
      'http://localhost:3000\n',
  })
})

test.each([
  ['localhost:3000', /has to be an address with http:\/\/ or https:\/\//],
  ['forge.example.org', /has to be an address with http:\/\/ or https:\/\//],
  ['file:///etc/passwd', /has to be an address with http:\/\/ or https:\/\//],
  ['https://me:secret@forge', /may hold no user or password/],
  ['https://forge?x=1', /the address of the server alone/],
])('%s is no address of a server', async (address, text) => {
  for (const [args, env] of [
    [['--url', address], {}],
    [[], { CRYSTAL_FORGE_URL: address }],
  ] as const) {
    const { code, stderr } = await run([...args], env)
    expect(code).toBe(2)
    expect(stderr).toMatch(text)
    expect(stderr).not.toContain('secret')
  }
})

test('options come before the environment', async () => {
  const file = join(await temporaryDirectory(), 'token')
  await writeFile(file, `${server.adminToken}\n`)
  const wrong = { CRYSTAL_FORGE_URL: 'http://localhost:1', CRYSTAL_FORGE_TOKEN: TOKEN }
  expect(await run(['--url', server.url, '--token-file', file], wrong)).toMatchObject({ code: 0, stderr: '' })
})

test.each([
  ['', 'is empty: it has to hold an API token'],
  ['two words\n', 'holds no API token: those are letters, digits, _ and - on one line'],
  [`${TOKEN}\n${TOKEN}\n`, 'holds no API token: those are letters, digits, _ and - on one line'],
])('a token file that holds %j is refused without showing it', async (text, message) => {
  const file = join(await temporaryDirectory(), 'token')
  await writeFile(file, text)
  expect(await run(['--token-file', file], url())).toMatchObject({
    code: 1,
    stderr: `crystal-forge: ${file} ${message}\n`,
  })
})

test('a token file that is not there is named', async () => {
  expect(await run(['--token-file', '/nonexistent'], url())).toMatchObject({
    code: 1,
    stderr:
      "crystal-forge: cannot read the token file: ENOENT: no such file or directory, open '/nonexistent'\n",
  })
})

test('the token is in no error', async () => {
  for (const env of [
    { ...url(), CRYSTAL_FORGE_TOKEN: TOKEN },
    { ...url(), CRYSTAL_FORGE_TOKEN: `${TOKEN} x` },
    { CRYSTAL_FORGE_URL: 'http://127.0.0.1:1', CRYSTAL_FORGE_TOKEN: TOKEN },
  ]) {
    const { code, stdout, stderr } = await run([], env)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^crystal-forge: /)
    expect(stderr).not.toContain(TOKEN)
  }
})

test('a token that would go out unencrypted is warned of, but not to this machine', async () => {
  const env = { CRYSTAL_FORGE_TOKEN: TOKEN }
  expect((await run(['--url', 'http://forge.invalid'], env)).stderr).toMatch(
    /^warning: the token goes to forge\.invalid unencrypted; use https\n/,
  )
  expect((await run(['--url', 'https://forge.invalid'], env)).stderr).not.toMatch(/^warning/)
  expect((await run(['--url', 'http://forge.invalid'])).stderr).not.toMatch(/^warning/)
  for (const address of ['http://localhost:1', 'http://127.0.0.2:1', 'http://[::1]:1'])
    expect((await run(['--url', address], env)).stderr).not.toMatch(/^warning/)
})
