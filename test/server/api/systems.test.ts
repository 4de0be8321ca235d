import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../../src/protocol/keys.ts'
import { STORE_PATH } from '../../support/messages.ts'
import { newKey, registerTestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

let server: TestServer

const HOSTNAMES = ['a_b', 'app1', 'App2', 'axb', 'db1', 'percent', 'web1.example.org', 'zoo']

beforeAll(async () => {
  server = await startTestServer()
  for (const hostname of HOSTNAMES.toReversed())
    await registerTestAgent(server, { hostname, environment: hostname.startsWith('a') ? 'prod' : "te'st" })
})
afterAll(() => server.stop())

const list = async (query: Record<string, string | number> = {}) => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) search.set(name, String(value))
  const { status, body } = await server.api('GET', `/systems?${search.toString()}`)
  return { status, total: body.total, next: body.next, names: body.systems?.map(nameOf), body }
}
const nameOf = ({ hostname }: { hostname: string }): string => hostname

describe('the list', () => {
  test('is in the order of the names, whatever their case', async () => {
    expect(await list()).toMatchObject({ names: HOSTNAMES, total: HOSTNAMES.length, next: null })
  })

  test.each([1, 2, 3, 4, 7, 8, 9])(
    'comes in pages of %i with the total of all and no empty last page',
    async (limit) => {
      const names: string[] = []
      let pages = 0
      for (let after: string | null = ''; after !== null;) {
        const page = await list({ limit, ...(after !== '' && { after }) })
        expect(page.total).toBe(HOSTNAMES.length)
        names.push(...page.names)
        after = page.next
        pages += 1
      }
      expect(names).toEqual(HOSTNAMES)
      expect(pages).toBe(Math.ceil(HOSTNAMES.length / limit))
    },
  )

  test('keeps its place when the system a page ended with is renamed away or gone', async () => {
    expect((await list({ after: 'c-was-here' })).names).toEqual(HOSTNAMES.slice(4))
  })

  test('a cursor is text and nothing else', async () => {
    expect(await list({ after: "zoo' or true --" })).toMatchObject({ names: [], total: HOSTNAMES.length })
  })

  test('a page of a filter has the total of the filter', async () => {
    expect(await list({ environment: 'prod', limit: 2 })).toMatchObject({
      names: ['a_b', 'app1'],
      total: 3,
      next: 'app1',
    })
  })

  test.each([
    [{ text: 'APP' }, ['app1', 'App2']],
    [{ text: '_' }, ['a_b']],
    [{ text: '%' }, []],
    [{ text: '\\' }, []],
    [{ text: "' or 1=1 --" }, []],
    [{ text: "x'); drop table systems; --" }, []],
    [{ environment: "te'st", text: 'z' }, ['zoo']],
    [{ environment: "prod' or '1'='1" }, []],
    [{ environment: 'PROD' }, []],
    [{ liveness: 'online' }, []],
    [{ liveness: 'never_seen', text: 'db' }, ['db1']],
    [{ registration: 'keyless' }, []],
    [{ registration: 'active', text: 'zoo' }, ['zoo']],
  ])('%o finds %o', async (query, names) => {
    expect(await list(query)).toMatchObject({ status: 200, names, total: names.length })
  })

  test.each([
    [{ liveness: 'dead' }, '/querystring/liveness', /must be one of online, late, offline, never_seen/],
    [{ flag: "x' or true" }, '/querystring/flag', /must be one of reboot_needed/],
    [{ limit: 0 }, '/querystring/limit', />= 1/],
    [{ limit: 1001 }, '/querystring/limit', /<= 1000/],
    [{ limit: '10; drop table systems' }, '/querystring/limit', /must be integer/],
    [{ limit: '1.5' }, '/querystring/limit', /integer/],
    [{ limit: '1e999' }, '/querystring/limit', /integer/],
    [{ sort: 'hostname; drop table systems' }, '/querystring/sort', /must be one of hostname, drift/],
    [{ drift: "behind' or true --" }, '/querystring/drift', /must be one of unmanaged/],
    [{ standing: 'bad' }, '/querystring/standing', /must be one of unmanaged/],
    [{ flake: '1 or true' }, '/querystring/flake', /must be integer/],
    [{ flake: 0 }, '/querystring/flake', />= 1/],
    [{ sort: 'since', after: 'app1' }, '/querystring/after', /gave as `next`/],
    [{ sort: 'since', after: '1.1); drop table drift; --' }, '/querystring/after', /gave as `next`/],
    [{ sort: 'drift', after: '1795434334123456.1' }, '/querystring/after', /gave as `next`/],
    [{ sort: 'last_contact', after: '99999999999999999.1' }, '/querystring/after', /gave as `next`/],
    [{ sort: 'drift', registration: 'archived' }, '/querystring/sort', /not judged/],
    [{ livenes: 'late' }, '/querystring/livenes', /is not known here/],
    [{ text: 'a\0b' }, '/querystring/text', /U\+0000/],
    [{ text: 'x'.repeat(254) }, '/querystring/text', /253/],
  ])('%o is refused with the place', async (query, path, message) => {
    const { status, body } = await list(query)
    expect(status).toBe(422)
    expect(body.type).toBe('urn:crystal-forge:problem:invalid')
    expect(body.errors).toEqual([{ path, message: expect.stringMatching(message) }])
  })

  test('a parameter given twice is refused', async () => {
    expect((await server.api('GET', '/systems?text=a&text=b')).status).toBe(422)
  })
})

describe('one system', () => {
  test('is found in any case of its name, with its own spelling', async () => {
    expect((await server.api('GET', '/systems/APP2')).body.hostname).toBe('App2')
  })

  test.each(['nope', '..', '%2e%2e', '..%2f..%2fkeys', "x'%20or%20true", '%25', '%F0%9F%92%A9'])(
    'that is not there is 404: %s',
    async (name) => {
      const reply = await server.http.inject({
        url: `/api/v1/systems/${name}`,
        headers: { authorization: `Bearer ${server.adminToken}` },
      })
      expect([reply.statusCode, reply.json().type]).toEqual([404, 'urn:crystal-forge:problem:not-found'])
    },
  )

  test.each([
    ['%ff', 400, 'malformed'],
    ['x'.repeat(300), 404, 'not-found'],
  ])('a path that no route can take is no more than a problem: %s', async (name, status, problem) => {
    const reply = await server.api('GET', `/systems/${name}`)
    expect([reply.status, reply.body.type]).toEqual([status, `urn:crystal-forge:problem:${problem}`])
  })

  test('a name that PostgreSQL could not even compare is refused', async () => {
    const reply = await server.api('GET', `/systems/${encodeURIComponent('a\0b')}`)
    expect([reply.status, reply.body.errors]).toEqual([
      422,
      [{ path: '/params/hostname', message: 'holds U+0000, which is not accepted' }],
    ])
  })
})

const add = (body: unknown) => server.api('POST', '/systems', { body })

describe('adding', () => {
  test('keeps everything that was said, and the key may report', async () => {
    const key = newKey()
    const settings = {
      hostname: 'new1',
      environment: '<b>prod</b>',
      flake_url: 'git+https://example.org/x.git',
      configuration: 'conf',
      pinned_path: STORE_PATH,
    }
    const reply = await add({ ...settings, public_keys: [encodeBase64(key.publicKey)] })
    expect([reply.status, reply.body]).toEqual([201, { hostname: 'new1' }])
    expect((await server.api('GET', '/systems/new1')).body).toMatchObject({
      ...settings,
      declared: false,
      registration: 'active',
      liveness: 'never_seen',
    })
    expect((await server.api('GET', '/systems/new1/keys')).body.keys).toMatchObject([
      { id: key.id, status: 'active' },
    ])
  })

  test('a name that is taken, in any case, is a conflict', async () => {
    for (const hostname of ['app1', 'APP1'])
      expect(await add({ hostname })).toMatchObject({
        status: 409,
        body: { detail: `there is a system ${hostname} already` },
      })
  })

  test("another system's key is a conflict, and nothing is added", async () => {
    const agent = await registerTestAgent(server, { hostname: 'owner' })
    const reply = await add({ hostname: 'thief', public_keys: [agent.publicKey] })
    expect(reply).toMatchObject({ status: 409, body: { detail: expect.stringContaining(agent.key.id) } })
    expect((await server.api('GET', '/systems/thief')).status).toBe(404)
  })

  test.each([
    '',
    ' ',
    'a b',
    '-a',
    'a-',
    '.',
    '..',
    '../x',
    'a/b',
    'a..b',
    'a\\b',
    '<script>alert(1)</script>',
    "x'; drop table systems; --",
    'a\n',
    'a\u202eb',
    'ä',
    'a'.repeat(64),
    `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(60)}`,
    'a\0',
    'a\ud800',
    null,
    5,
    ['a'],
  ])('%j is no host name', async (hostname) => {
    const reply = await add({ hostname })
    expect([reply.status, reply.body.errors.map((error: { path: string }) => error.path)]).toEqual([
      422,
      [expect.stringMatching(/hostname$/)],
    ])
  })

  test.each([
    [{ hostname: 'n', enviroment: 'x' }, '/body/enviroment'],
    [{ hostname: 'n', pinned_path: '/nix/store/...-nixos-system' }, '/body/pinned_path'],
    [{ hostname: 'n', pinned_path: `${STORE_PATH}/bin` }, '/body/pinned_path'],
    [{ hostname: 'n', public_keys: [encodeBase64(newKey().publicKey), 'xx'] }, '/body/public_keys/1'],
    [{ hostname: 'n', public_keys: [encodeBase64(Buffer.alloc(32))] }, '/body/public_keys/0'],
    [{ hostname: 'n', public_keys: 'xx' }, '/body/public_keys'],
    [{ hostname: 'n', environment: '' }, '/body/environment'],
    [{ hostname: 'n', declared: true }, '/body/declared'],
    [{}, '/body/hostname'],
    [[], '/body'],
    ['n', '/body'],
    [null, '/body'],
  ])('%j is refused at %s, and nothing is added', async (body, path) => {
    const reply = await add(body)
    expect([reply.status, reply.body.errors?.[0]?.path]).toEqual([422, path])
    expect((await server.api('GET', '/systems/n')).status).toBe(404)
  })
})

const post = (payload: string, type?: string) =>
  server.http.inject({
    method: 'POST',
    url: '/api/v1/systems',
    headers: {
      authorization: `Bearer ${server.adminToken}`,
      ...(type !== undefined && { 'content-type': type }),
    },
    payload,
  })

describe('bodies', () => {
  test.each([
    ['{"hostname": "x"', 'application/json', 400, 'malformed'],
    ['{"hostname": "x", "hostname": "y"}', 'application/json', 422, 'invalid'],
    ['{"hostname": "x"}', 'text/plain', 415, 'unsupported'],
    ['hostname=x', 'application/x-www-form-urlencoded', 415, 'unsupported'],
    ['', 'application/json', 422, 'invalid'],
    ['{"hostname": "x", "__proto__": {"declared": true}}', 'application/json', 422, 'invalid'],
  ])('%s as %s is %i %s', async (payload, type, status, problem) => {
    const reply = await post(payload, type)
    expect([reply.statusCode, reply.json().type]).toEqual([status, `urn:crystal-forge:problem:${problem}`])
    expect(reply.headers['content-type']).toMatch('application/problem+json')
  })

  test('a body that is too large is 413', async () => {
    const reply = await post(JSON.stringify({ hostname: 'x'.repeat(70_000) }), 'application/json')
    expect([reply.statusCode, reply.json().type]).toEqual([413, 'urn:crystal-forge:problem:too-large'])
  })
})
