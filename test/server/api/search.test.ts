import { afterAll, beforeAll, expect, test } from 'vitest'
import { addTestFlake, moveTestBranch, shaOf } from '../../support/evaluated.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
  const { db } = server.database
  for (const hostname of ['my-web', 'web2', 'Web1', 'db1', 'web-old'])
    await server.api('POST', '/systems', { body: { hostname } })
  await server.api('PUT', '/systems/web-old/archived')
  const flakeId = await addTestFlake(db, { url: 'git+https://example.org/Web-Fleet' })
  await moveTestBranch(db, flakeId, ['one', 'two'], (name) => (name === 'two' ? 'Fix the WEB of 100%' : name))
})
afterAll(() => server.stop())

const find = async (text: string) =>
  (await server.api('GET', `/search?text=${encodeURIComponent(text)}`)).body

test('finds systems by part of the name, those that begin with it first, flakes and commits', async () => {
  const { systems, flakes, commits } = await find('WEB')
  expect(systems.map(({ hostname }: { hostname: string }) => hostname)).toEqual(['Web1', 'web2', 'my-web'])
  expect(flakes).toMatchObject([{ url: 'git+https://example.org/Web-Fleet', branch: 'main' }])
  expect(commits).toMatchObject([{ sha: shaOf('two'), subject: 'Fix the WEB of 100%' }])
})

test('finds a commit by the first digits of its revision', async () => {
  expect((await find(shaOf('one').slice(0, 7).toUpperCase())).commits).toMatchObject([{ sha: shaOf('one') }])
})

test.each(['%', '_', "' or 1=1 --", 'nothing-like-it', '\\'])('%s is text', async (text) => {
  const { systems, flakes, commits } = await find(text)
  expect([systems, flakes, commits.length]).toEqual([[], [], text === '%' ? 1 : 0])
})

test('finds at most eight of each', async () => {
  for (let n = 0; n < 10; n += 1) await server.api('POST', '/systems', { body: { hostname: `many${n}` } })
  expect((await find('many')).systems).toHaveLength(8)
})

test('finds letters that are not ASCII as they are written', async () => {
  const { db } = server.database
  const flakeId = await addTestFlake(db, { url: 'git+https://example.org/other' })
  await moveTestBranch(db, flakeId, ['umlaut'], () => 'Ändert alles')
  expect((await find('Änder')).commits).toMatchObject([{ subject: 'Ändert alles' }])
})

test('finds nothing of a flake that is archived', async () => {
  const { db } = server.database
  const flakeId = await addTestFlake(db, { url: 'git+https://example.org/gone' })
  await moveTestBranch(db, flakeId, ['gone'])
  expect((await find('gone')).commits).toMatchObject([{ sha: shaOf('gone') }])
  await server.api('DELETE', `/flakes/${flakeId}`)
  expect(await find('gone')).toEqual({ systems: [], flakes: [], commits: [] })
  expect((await find(shaOf('gone'))).commits).toEqual([])
})

test.each(['', '?text=', `?text=${'x'.repeat(254)}`])('needs a text: %s', async (query) => {
  expect((await server.api('GET', `/search${query}`)).status).toBe(422)
})
