import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import type { TestServer } from '../support/test-server.ts'
import {
  clear,
  deliveries,
  followFlake,
  SIGNING_TOKEN,
  startWebhookServer,
  waiting,
  webhookSecrets,
} from '../server/webhooks/support.ts'

const FLAKE = 'git+https://git.example.org/yourorg/nixos-configs'
const COMMIT = '0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c'

let server: TestServer
let flakeId: number
beforeAll(async () => {
  server = await startWebhookServer(webhookSecrets(['shared', SIGNING_TOKEN], { 'github:org/own': ['own'] }))
  flakeId = await followFlake(server.database.db, FLAKE, { headBranch: 'main' })
})
beforeEach(() => clear(server))
afterAll(() => server.stop())

/** Runs the command where this configuration is, with these files beside it. */
async function simulatePush(toml: string, files: Record<string, string>, ...args: string[]) {
  const cwd = await temporaryDirectory()
  for (const [name, content] of Object.entries({ ...files, 'config.toml': toml }))
    await writeFile(join(cwd, name), content)
  const env = { CRYSTAL_FORGE_URL: server.url }
  return runCli(['simulate-push', ...args], { cwd, env })
}

const TOML = `[server]\nwebhook_secret_files = ["./shared"]\n\n[[flakes]]\nurl = "${FLAKE}"\n`
const FILES = { shared: 'shared\n', signing: SIGNING_TOKEN, own: 'own\nown2\n' }

describe.each(['github', 'gitlab', 'gitea', 'forgejo', 'generic'])('as %s', (provider) => {
  test('tells the server of a push to the only flake', async () => {
    const result = await simulatePush(TOML, FILES, '--provider', provider, '--commit', COMMIT)
    expect(result).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `${server.url}/ asks Git for the head of main of https://git.example.org/yourorg/nixos-configs\n`,
    })
    expect(await waiting(server)).toEqual([{ flakeId }])
    expect(await deliveries(server.database.db)).toMatchObject([
      { provider, after: COMMIT, ref: 'refs/heads/main', delivery: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    ])
  })
})

test('signs as GitLab does with a signing token', async () => {
  const args = ['--provider', 'gitlab', '--secret-file', 'signing']
  expect(await simulatePush(TOML, FILES, ...args)).toMatchObject({ code: 0, stderr: '' })
})

test('needs no configuration when it is told everything, and makes up a commit', async () => {
  const args = ['--flake', FLAKE, '--secret-file', 'shared', '--url', server.url, '--json']
  const { code, stdout } = await simulatePush('', FILES, ...args)
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    outcome: 'accepted',
    reason: null,
    flake_ids: [flakeId],
    remote: 'https://git.example.org/yourorg/nixos-configs',
    branch: 'main',
    commit: expect.stringMatching(/^[0-9a-f]{40}$/),
  })
})

test("takes the flake's own secret and branch", async () => {
  const own = await followFlake(server.database.db, 'github:org/own', { headBranch: 'trunk' })
  const toml = `${TOML}\n[[flakes]]\nurl = "github:org/own"\nbranch = "trunk"\nwebhook_secret_file = "./own"\n`
  expect(await simulatePush(toml, FILES, '--flake', 'github:Org/own')).toMatchObject({ code: 0, stderr: '' })
  expect(await waiting(server)).toEqual([{ flakeId: own }])
})

test('fails, and says why, when the server does nothing', async () => {
  const ignored = await simulatePush(TOML, FILES, '--branch', 'other')
  expect(ignored).toMatchObject({ code: 1, stdout: '' })
  expect(ignored.stderr).toContain('ignored it: other branch (other of https://git.example.org/')
  const refused = await simulatePush(TOML, FILES, '--secret-file', 'own')
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain('the secret is not one of the flakes of this repository')
  const nobody = await simulatePush(TOML, FILES, '--url', 'http://127.0.0.1:1')
  expect(nobody.stderr).toContain('cannot reach http://127.0.0.1:1/')
})

test('is wrong usage when it cannot tell which flake, which secret or which commit', async () => {
  const two = `${TOML}\n[[flakes]]\nurl = "github:org/other"\n`
  const which = await simulatePush(two, FILES)
  expect(which.code).toBe(2)
  expect(which.stderr).toContain(`Give --flake with one of: ${FLAKE}, github:org/other`)
  expect((await simulatePush('', FILES)).stderr).toContain(
    'The configuration declares none: give --flake URL',
  )
  expect((await simulatePush('', FILES, '--flake', FLAKE)).stderr).toContain('give --secret-file')
  expect((await simulatePush(TOML, FILES, '--flake', 'not a flake')).code).toBe(2)
  expect((await simulatePush(TOML, FILES, '--commit', 'HEAD')).code).toBe(2)
  expect(await waiting(server)).toEqual([])
})
