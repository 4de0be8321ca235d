import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { createFlakeAccess } from '../../src/evaluator/flake-access.ts'
import { identifyFlake, type FlakeRow } from '../../src/store/flakes.ts'
import type { FlakeConfig } from '../../src/lib/config/load.ts'
import { Secret } from '../../src/lib/secret.ts'
import { startGitHttpServer } from '../support/git-http-server.ts'
import { createTestRepository } from '../support/git-repository.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

function declared(url: string, values: Partial<FlakeConfig> = {}): FlakeConfig {
  return {
    url,
    branch: null,
    webhook_secret_file: null,
    ssh_key_file: null,
    netrc_file: null,
    access_tokens_file: null,
    webhook_secret: null,
    ssh_key: null,
    known_hosts_file: null,
    netrc: null,
    access_tokens: null,
    allow_import_from_derivation: false,
    search_depth: 100,
    ...values,
  }
}

function rowOf(url: string, branch: string | null = null): FlakeRow {
  return {
    id: 7,
    url,
    ...identifyFlake({ url, branch }),
    declared: false,
    allow_import_from_derivation: false,
    search_depth: 100,
    archived_at: null,
    created_at: new Date(0),
    head_branch: null,
    head_commit_id: null,
    synced_at: null,
    sync_failed_at: null,
    sync_error: null,
    next_poll_at: new Date(0),
  }
}

const NONE = { sshKey: null, knownHostsFile: null, netrc: null, accessTokens: null }

test('a flake has the credentials that its repository is declared with, however its address is written', () => {
  const key = new Secret('key')
  const { credentials } = createFlakeAccess('/nonexistent', [
    declared('git+ssh://git@git.example.org/ops/configs', { ssh_key: key, known_hosts_file: '/hosts' }),
  ])
  const expected = { ...NONE, sshKey: key, knownHostsFile: '/hosts' }
  expect(credentials(rowOf('git@git.example.org:ops/configs.git?dir=hosts'))).toEqual(expected)
  expect(credentials(rowOf('https://git.example.org/ops/configs?ref=next'))).toEqual(expected)
  expect(credentials(rowOf('https://git.example.org/ops/other'))).toEqual(NONE)
  expect(credentials(rowOf('https://git.example.com/ops/configs'))).toEqual(NONE)
})

test('what is declared for the branch counts before what is declared for another one', () => {
  const [main, next] = [new Secret('main'), new Secret('next')]
  const url = 'https://git.example.org/configs'
  const { credentials } = createFlakeAccess('/nonexistent', [
    declared(`${url}?ref=main`, { netrc: main }),
    declared(url, { branch: 'next', access_tokens: next }),
    declared(url, { branch: 'bare' }),
  ])
  for (const branch of ['main', 'next', 'bare', 'other'])
    expect(credentials(rowOf(url, branch))).toEqual({ ...NONE, netrc: main, accessTokens: next })
  const both = createFlakeAccess('/nonexistent', [
    declared(url, { branch: 'main', netrc: main }),
    declared(url, { branch: 'next', netrc: next }),
  ])
  expect(both.credentials(rowOf(url, 'main')).netrc).toBe(main)
  expect(both.credentials(rowOf(url, 'next')).netrc).toBe(next)
})

test('what is declared for TLS or SSH is not given to the same repository without', () => {
  const netrc = new Secret('machine git.example.org login a password hunter2')
  for (const url of ['https://git.example.org/configs', 'ssh://git@git.example.org/configs']) {
    const { credentials } = createFlakeAccess('/nonexistent', [declared(url, { netrc })])
    expect(credentials(rowOf('http://git.example.org/configs'))).toEqual(NONE)
    expect(credentials(rowOf('http://git.example.org:443/configs'))).toEqual(NONE)
  }
  const { credentials } = createFlakeAccess('/nonexistent', [
    declared('http://git.example.org/configs', { netrc }),
  ])
  expect(credentials(rowOf('http://git.example.org/configs')).netrc).toBe(netrc)
})

test('a flake keeps its mirror when its address is written in another way', async () => {
  const repository = await createTestRepository()
  const first = await repository.commit({ a: '1' })
  const server = await startGitHttpServer({ root: dirname(repository.path), account: 'ops:hunter2' })
  const directory = await temporaryDirectory()
  const url = `${server.url}/repository`
  const netrc = new Secret('machine 127.0.0.1 login ops password hunter2')
  const access = createFlakeAccess(directory, [declared(url, { netrc })])
  expect((await access.mirror(rowOf(url)).fetch(null)).head).toBe(first)
  expect(await readdir(directory)).toEqual(['flake-7.git'])
  const asked = server.requests.length
  expect((await access.mirror(rowOf(`git+${url}/.git`)).fetch(null)).head).toBe(first)
  expect(server.requests.slice(asked).every(({ path }) => path.startsWith('/repository/.git/'))).toBe(true)
})
