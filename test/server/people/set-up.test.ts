import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createLogger } from '../../../src/lib/log.ts'
import { offerSetUp } from '../../../src/server/people/set-up-link.ts'
import { keepHashing } from '../../support/keep-hashing.ts'
import { createTestBrowser, PASSWORD } from '../../support/people.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

async function start(): Promise<{
  server: TestServer
  offer: (place?: string) => Promise<string>
  directory: string
}> {
  const server = await startTestServer()
  onTestFinished(server.stop)
  const directory = await temporaryDirectory()
  const offer = async (place = 'a'): Promise<string> => {
    const stateDir = join(directory, place)
    await mkdir(stateDir, { recursive: true })
    await offerSetUp({
      db: server.database.db,
      stateDir,
      url: 'http://0.0.0.0:3000',
      log: createLogger({ level: 'silent' }),
    })
    return (await readFile(join(stateDir, 'setup-link'), 'utf8').catch(() => '')).trim()
  }
  return { server, offer, directory }
}
const tokenOf = (link: string): string => link.split('#token=')[1] ?? ''
const setUp = (server: TestServer, token: string, name = 'ada', password = PASSWORD) =>
  createTestBrowser(server).api('POST', '/setup', { token, name, password })

describe('the set-up link', () => {
  test('makes the first administrator, who is signed in, and is gone afterwards', async () => {
    const { server, offer, directory } = await start()
    expect((await server.api('GET', '/session', { token: null })).body.setup_needed).toBe(true)
    const link = await offer()
    expect(link).toMatch(/^http:\/\/localhost:3000\/setup#token=cfl_[\w-]{43}$/)
    expect((await stat(join(directory, 'a/setup-link'))).mode & 0o777).toBe(0o600)

    const browser = createTestBrowser(server)
    const reply = await browser.api('POST', '/setup', {
      token: tokenOf(link),
      name: 'ada',
      password: PASSWORD,
    })
    expect(reply.status).toBe(204)
    expect((await browser.api('GET', '/session')).body).toMatchObject({
      user: { name: 'ada' },
      role: 'admin',
      setup_needed: false,
    })
    expect(await offer()).toBe('')
    expect((await setUp(server, tokenOf(link), 'eve')).status).toBe(409)
  })

  test('has its directory made, and the server starts where it cannot be', async () => {
    const { server, directory } = await start()
    const offerIn = (stateDir: string) =>
      offerSetUp({
        db: server.database.db,
        stateDir,
        url: server.url,
        log: createLogger({ level: 'silent' }),
      })
    await offerIn(join(directory, 'new/state'))
    expect((await stat(join(directory, 'new/state'))).mode & 0o777).toBe(0o700)
    expect(await readFile(join(directory, 'new/state/setup-link'), 'utf8')).toContain('/setup#token=')
    await writeFile(join(directory, 'file'), '')
    await offerIn(join(directory, 'file/state'))
  })

  test('stays the same over a restart, and is replaced by that of another server', async () => {
    const { server, offer } = await start()
    const first = await offer()
    expect(await offer()).toBe(first)
    const second = await offer('b')
    expect(second).not.toBe(first)
    expect((await setUp(server, tokenOf(first))).status).toBe(403)
    expect((await setUp(server, tokenOf(second))).status).toBe(204)
  })

  test('makes one administrator however many use it at once', async () => {
    const { server, offer } = await start()
    const token = tokenOf(await offer())
    const replies = await Promise.all(['a', 'b', 'c', 'd'].map((name) => setUp(server, token, name)))
    expect(replies.filter(({ status }) => status === 204)).toHaveLength(1)
    expect((await server.api('GET', '/users')).body.users).toHaveLength(1)
  })

  test('that is none is refused before a password is hashed for whoever sends it', async () => {
    const { server, offer } = await start()
    await offer()
    const busy = keepHashing()
    try {
      for (let each = 0; each < 5; each += 1) expect((await setUp(server, 'cfl_none')).status).toBe(403)
    } finally {
      await busy.stop()
    }
  })

  test('is not used up by what is refused', async () => {
    const { server, offer } = await start()
    const token = tokenOf(await offer())
    expect((await setUp(server, 'cfl_wrong')).status).toBe(403)
    expect((await setUp(server, token, 'ada', 'too short')).status).toBe(422)
    expect((await setUp(server, token, 'ada lovelace one', 'Ada Lovelace ONE')).status).toBe(422)
    expect((await setUp(server, token, 'two\nlines')).status).toBe(422)
    expect((await setUp(server, token)).status).toBe(204)
  })
})
