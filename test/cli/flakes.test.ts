import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recordSyncFailure } from '../../src/store/flakes.ts'
import { SYNC_FLAKE } from '../../src/store/job-queue.ts'
import { reconcile } from '../../src/store/reconcile.ts'
import { addTestFlake, moveTestBranch, shaOf } from '../support/evaluated.ts'
import { fleetCli } from '../support/fleet-cli.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
let cli: ReturnType<typeof fleetCli>

beforeAll(async () => {
  server = await startTestServer()
  cli = fleetCli(server)
})
afterAll(() => server.stop())

let count = 0
const freshUrl = () => `git+https://forge.example.org/fleet-${(count += 1)}`
const rowsOf = (stdout: string) => stdout.split('\n').map((line) => line.trim().split(/ {2,}/))

describe('flakes add', () => {
  test('follows a flake, and says what is next', async () => {
    const url = freshUrl()
    const options = '--branch main --search-depth 7 --allow-import-from-derivation'.split(' ')
    const { code, stdout, stderr } = await cli.run('flakes', 'add', url, ...options)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(
      /^follows git\+https:\S+ as flake (\d+); `crystal-forge flakes sync \1 --wait` shows/,
    )
    const { flakes } = await cli.json('flakes', 'list')
    expect(flakes).toContainEqual(
      expect.objectContaining({ url, branch: 'main', search_depth: 7, allow_import_from_derivation: true }),
    )
  })

  test('refuses credentials without repeating them', async () => {
    const { code, stdout, stderr } = await cli.run('flakes', 'add', 'https://user:s3cret@example.org/x')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('/body/url must not hold a user name, password or token')
    expect(stderr).not.toContain('s3cret')
  })

  test('says that it is followed already', async () => {
    const url = freshUrl()
    const { id } = await cli.json('flakes', 'add', url)
    expect(await cli.run('flakes', 'add', `${url}.git`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`are followed already: flake ${id}`),
    })
  })
})

describe('flakes list', () => {
  test('is a table with heads, systems and the last sync', async () => {
    const url = freshUrl()
    const id = await addTestFlake(server.database.db, { url })
    await moveTestBranch(server.database.db, id, ['listed'])
    await server.api('POST', '/systems', { body: { hostname: 'listed1', flake_url: url } })
    const { code, stdout } = await cli.run('flakes', 'list')
    expect(code).toBe(0)
    const rows = rowsOf(stdout)
    expect(rows[0]).toEqual(['ID', 'URL', 'BRANCH', 'HEAD', 'STATUS', 'SYSTEMS', 'FROM', 'SYNCED'])
    expect(rows.find((row) => row[1] === url)).toEqual([
      String(id),
      url,
      'main',
      shaOf('listed').slice(0, 12),
      'new',
      '1',
      'api or a system',
      expect.stringMatching(/^(now|\d+ s ago)$/),
    ])
  })

  test('says why Git could not be asked, and nothing in it acts on the terminal', async () => {
    const id = await addTestFlake(server.database.db, { url: freshUrl() })
    await recordSyncFailure(server.database.db, id, 'remote: \u001b]0;owned\u0007\nnot found')
    const { stdout } = await cli.run('flakes', 'list')
    expect(stdout).toContain(
      `\nflake ${id} cannot be fetched: remote: ${String.raw`\u001b]0;owned\u0007`}\n  not found\n`,
    )
    expect(
      rowsOf(stdout)
        .find((row) => row[0] === String(id))
        ?.at(-1),
    ).toMatch(/^never, failed (now|\d+ s ago)$/)
    await sql`update flakes set sync_failed_at = null where id = ${id}`.execute(server.database.db)
  })
})

describe('flakes remove', () => {
  test('takes an id or a URL', async () => {
    for (const nameOf of [
      (flake: { id: number }) => String(flake.id),
      (flake: { url: string }) => flake.url,
    ]) {
      const url = freshUrl()
      const { id } = await cli.json('flakes', 'add', url)
      expect(await cli.run('flakes', 'remove', nameOf({ id, url }))).toMatchObject({
        code: 0,
        stdout: `flake ${id}, ${url}, is no longer followed\n`,
      })
    }
  })

  test('says what keeps it: systems, the configuration, that there is none or several', async () => {
    const url = freshUrl()
    const { id } = await cli.json('flakes', 'add', url)
    await server.api('POST', '/systems', { body: { hostname: 'keeps1', flake_url: url } })
    const refusal = async (flake: string) => {
      const { code, stderr } = await cli.run('flakes', 'remove', flake)
      expect(code).toBe(1)
      return stderr
    }
    expect(await refusal(url)).toContain(`flake ${id} says what 1 system has to run`)
    const declared = freshUrl()
    const settings = { url: declared, branch: null, allowImportFromDerivation: false, searchDepth: 100 }
    await reconcile(server.database.db, { flakes: [settings], systems: [] })
    expect(await refusal(declared)).toContain("is declared in the server's configuration; change it there")
    expect(await refusal('github:no/such')).toContain('no flake with the URL github:no/such is followed')
    expect(await refusal('999999')).toContain('there is no flake 999999')
    await cli.json('flakes', 'add', url, '--branch', 'test')
    expect(await refusal(url)).toMatch(/several branches of \S+ are followed: give an id, \d+ or \d+\n$/)
  })
})

describe('flakes sync', () => {
  test('asks for the head of one, or of all', async () => {
    const url = freshUrl()
    const { id } = await cli.json('flakes', 'add', url)
    expect(await cli.run('flakes', 'sync', url)).toMatchObject({
      code: 0,
      stdout: `asked for the head of flake ${id}, ${url}\n`,
    })
    expect(await server.jobs(SYNC_FLAKE)).toContainEqual({ flakeId: id })
    const { flakes } = await cli.json('flakes', 'sync')
    expect(flakes).toEqual(
      (await cli.json('flakes', 'list')).flakes.map((flake: { id: number; url: string }) => ({
        id: flake.id,
        url: flake.url,
      })),
    )
  })

  test.each([
    [['flakes', 'add'], "missing required argument 'url'"],
    [['flakes', 'add', 'github:a/b', '--search-depth', '0'], 'has to be a whole number, 1 or more'],
    [['flakes', 'remove'], "missing required argument 'flake'"],
    [['flakes', 'sink'], "unknown command 'sink'"],
  ])('%j is wrong usage', async (args, message) => {
    const { code, stdout, stderr } = await cli.run(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})
