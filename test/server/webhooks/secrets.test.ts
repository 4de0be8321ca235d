import { describe, expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../../src/lib/config/load.ts'
import {
  createSecretBook,
  type WebhookSecrets,
  webhookSecretsOf,
} from '../../../src/server/webhooks/secrets.ts'
import { readCredential } from '../../../src/server/webhooks/credentials.ts'
import { archiveFlake } from '../../../src/store/flakes.ts'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import type { TestServer } from '../../support/test-server.ts'
import { createPush } from './payloads.ts'
import { announce, deliveries, followFlake, startWebhookServer, waiting, webhookSecrets } from './support.ts'

const URL_A = 'git+https://git.example.org/org/a'
const URL_B = 'github:org/b'
const PUSH_A = createPush({ repository: 'org/a' })
const PUSH_B = createPush({ repository: 'org/b', host: 'github.com' })

async function start(secrets: WebhookSecrets): Promise<{ server: TestServer; a: number; b: number }> {
  const server = await startWebhookServer(secrets)
  onTestFinished(server.stop)
  const { db } = server.database
  return { server, a: await followFlake(db, URL_A), b: await followFlake(db, URL_B) }
}

const typeOf = ({ body }: { body: { type?: string } }) => body.type?.replace('urn:crystal-forge:problem:', '')

describe('without any secret', () => {
  test('webhooks are refused, signed or not', async () => {
    const { server } = await start(webhookSecrets([]))
    for (const provider of ['github', 'gitlab'] as const) {
      const reply = await announce(server, provider, PUSH_A)
      expect([reply.status, typeOf(reply)]).toEqual([403, 'forbidden'])
    }
    const unsigned = await fetch(`${server.url}/webhook`, { method: 'POST', body: '{}' })
    expect(unsigned.status).toBe(403)
    expect(await deliveries(server.database.db)).toEqual([])
  })
})

describe('shared secrets', () => {
  test('may be several while one replaces another', async () => {
    const { server, a } = await start(webhookSecrets(['old', 'new']))
    for (const secret of ['old', 'new'])
      for (const provider of ['github', 'gitlab', 'forgejo'] as const)
        expect((await announce(server, provider, PUSH_A, { secret })).body.flake_ids).toEqual([a])
    for (const provider of ['github', 'gitlab', 'forgejo'] as const) {
      const reply = await announce(server, provider, PUSH_A, { secret: 'older' })
      expect([reply.status, typeOf(reply)]).toEqual([401, 'bad-signature'])
    }
    expect(await deliveries(server.database.db)).toHaveLength(6)
  })

  test('do not speak for a flake that has a secret of its own', async () => {
    const { server, a, b } = await start(webhookSecrets(['shared'], { [URL_A]: ['own'] }))
    expect(typeOf(await announce(server, 'github', PUSH_A, { secret: 'shared' }))).toBe('bad-signature')
    expect((await announce(server, 'github', PUSH_A, { secret: 'own' })).body.flake_ids).toEqual([a])
    expect((await announce(server, 'github', PUSH_B, { secret: 'shared' })).body.flake_ids).toEqual([b])
    expect(await deliveries(server.database.db)).toHaveLength(2)
  })

  test('do not find a repository under another name', async () => {
    const { server } = await start(webhookSecrets(['shared']))
    const renamed = createPush({ repository: 'org/renamed' })
    const { status, body } = await announce(server, 'github', renamed, { secret: 'shared' })
    expect([status, body.reason]).toEqual([200, 'unknown_repository'])
  })
})

describe('the secrets of a flake', () => {
  test('may be several while one replaces another', async () => {
    const { server, a } = await start(webhookSecrets([], { [URL_A]: ['old', 'new'] }))
    for (const secret of ['old', 'new'])
      expect((await announce(server, 'gitea', PUSH_A, { secret })).body.flake_ids).toEqual([a])
  })

  test('do not speak for another flake', async () => {
    const { server } = await start(webhookSecrets([], { [URL_A]: ['of a'], [URL_B]: ['of b'] }))
    expect(typeOf(await announce(server, 'github', PUSH_B, { secret: 'of a' }))).toBe('bad-signature')
    expect(await waiting(server)).toEqual([])
    expect(await deliveries(server.database.db)).toEqual([])
  })

  test('find its repository under another name', async () => {
    const { server, a } = await start(webhookSecrets(['shared'], { [URL_A]: ['of a'], [URL_B]: ['of b'] }))
    const renamed = createPush({ repository: 'neworg/renamed' })
    const { status, body } = await announce(server, 'github', renamed, { secret: 'of a' })
    expect([status, body.flake_ids]).toEqual([202, [a]])
    expect(await waiting(server)).toEqual([{ flakeId: a }])
    expect(await deliveries(server.database.db)).toMatchObject([
      { repository: 'git.example.org/neworg/renamed', flake_ids: [a] },
    ])
  })

  test('find no other name when they are also those of another repository', async () => {
    const { server } = await start(webhookSecrets([], { [URL_A]: ['same'], [URL_B]: ['same'] }))
    const renamed = createPush({ repository: 'org/renamed' })
    expect((await announce(server, 'github', renamed, { secret: 'same' })).body.reason).toBe(
      'unknown_repository',
    )
    expect((await announce(server, 'github', PUSH_A, { secret: 'same' })).status).toBe(202)
  })

  test('speak for nothing once it is archived', async () => {
    const { server, a } = await start(webhookSecrets([], { [URL_A]: ['of a'] }))
    await archiveFlake(server.database.db, a)
    expect((await announce(server, 'github', PUSH_A, { secret: 'of a' })).body.reason).toBe(
      'unknown_repository',
    )
  })
})

describe('flakes of one repository', () => {
  test('are told apart by their branches, however their addresses are written', async () => {
    const server = await startWebhookServer()
    onTestFinished(server.stop)
    const { db } = server.database
    const head = await followFlake(db, 'github:YourOrg/nixos-configs', { headBranch: 'main' })
    const staging = await followFlake(db, 'git+ssh://git@github.com/yourorg/nixos-configs.git?ref=staging')
    const subdirectory = await followFlake(db, 'github:yourorg/nixos-configs?dir=hosts', { branch: 'main' })
    const flakesOf = async (ref: string) =>
      (await announce(server, 'github', createPush({ host: 'github.com', ref }))).body.flake_ids
    expect(await flakesOf('refs/heads/main')).toEqual([head, subdirectory])
    expect(await flakesOf('refs/heads/staging')).toEqual([staging])
    expect(await flakesOf('refs/heads/other')).toEqual([])
  })

  test('are asked whatever the branch while the HEAD of their remote is not known', async () => {
    const server = await startWebhookServer()
    onTestFinished(server.stop)
    const id = await followFlake(server.database.db, 'git+https://git.example.org/yourorg/nixos-configs')
    const { body } = await announce(server, 'gitlab', createPush({ ref: 'refs/heads/anything' }))
    expect(body.flake_ids).toEqual([id])
  })

  test('may have secrets of their own, one without the other', async () => {
    const url = 'git+https://git.example.org/yourorg/nixos-configs'
    const server = await startWebhookServer(webhookSecrets(['shared'], { [`${url}?ref=main`]: ['own'] }))
    onTestFinished(server.stop)
    const { db } = server.database
    const own = await followFlake(db, `${url}?ref=main`)
    const other = await followFlake(db, `${url}?ref=main&dir=other`)
    const flakesOf = async (secret: string) =>
      (await announce(server, 'github', createPush(), { secret })).body.flake_ids
    expect(await flakesOf('own')).toEqual([own])
    expect(await flakesOf('shared')).toEqual([other])
  })
})

test('secrets are read from files, one a line, and shown to nobody', async () => {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'shared'), 'one\ntwo\n')
  await writeFile(join(directory, 'own'), 'three\r\n')
  await writeFile(
    join(directory, 'config.toml'),
    `[server]\nwebhook_secret_files = ["./shared"]\n\n[[flakes]]\nurl = "${URL_A}"\nwebhook_secret_file = "./own"\n` +
      `\n[[flakes]]\nurl = "${URL_B}"\n`,
  )
  const secrets = webhookSecretsOf(loadConfig({ env: {}, cwd: directory, part: 'server' }))
  expect(JSON.stringify(secrets)).not.toMatch(/one|two|three/)
  const book = createSecretBook(secrets)
  const repositoryOf = { a: 'git.example.org/org/a', b: 'github.com/org/b' }
  const speaksFor = async (token: string) => {
    const credential = readCredential('gitlab', { 'x-gitlab-token': token }, 0)
    const matches = await book.match(credential, Buffer.alloc(0))
    return (['a', 'b'] as const).filter((name) =>
      book.speaksFor(matches, { repository: repositoryOf[name], directory: null, branch: null }),
    )
  }
  expect(await speaksFor('one')).toEqual(['b'])
  expect(await speaksFor('two')).toEqual(['b'])
  expect(await speaksFor('three')).toEqual(['a'])
  expect(await speaksFor('one\ntwo')).toEqual([])
})
