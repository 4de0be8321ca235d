import { once } from 'node:events'
import { get as httpGet, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { withClient } from '../../../src/store/database.ts'
import { STORE_PATH } from '../../support/messages.ts'
import { openRaw } from '../../support/raw-http.ts'
import { registerTestAgent } from '../../support/test-agent.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'
import { waitFor } from '../../support/wait.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const OTHER = STORE_PATH.replace('0c4b', '1c4b')

interface Received {
  id: string
  event: string
  // oxlint-disable-next-line typescript/no-explicit-any -- the tests say what they expect in it
  data: any
}

/** Follows the events as a browser does. */
async function follow(options: { last?: string; query?: string } = {}) {
  const headers = {
    authorization: `Bearer ${server.adminToken}`,
    ...(options.last !== undefined && { 'last-event-id': options.last }),
  }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpGet(`${server.url}/api/v1/events${options.query ?? ''}`, { headers, agent: false }, resolve).on(
      'error',
      reject,
    )
  })
  let text = ''
  let ended = false
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => (text += chunk))
  for (const name of ['end', 'close', 'error']) response.on(name, () => (ended = true))
  const blocks = () => text.split('\n\n').slice(0, -1)
  const events = (): Received[] =>
    blocks().flatMap((block) => {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)))
      return fields.data === undefined
        ? []
        : [{ id: fields.id, event: fields.event, data: JSON.parse(fields.data) }]
    })
  const stream = {
    response,
    events,
    text: () => text,
    ended: () => ended,
    /** The id that a reader would come back with. */
    lastId: () => [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? '',
    ids: () => events().map(({ id }) => id),
    close: () => response.destroy(),
  }
  onTestFinished(() => void stream.close())
  await waitFor(() => text.startsWith('id: '), { what: 'the stream to begin' })
  return stream
}

const note = (name: string) =>
  sql`insert into events (kind, details) values ('head', ${JSON.stringify({ name })})`
const names = (events: readonly Received[]): string[] => events.map(({ data }) => data.details.name)

/** Runs `act` while nobody else can read a table. */
const whileLocked = (of: TestServer, table: string, act: () => Promise<void>) =>
  withClient(of.connection, 'test', async (client) => {
    await client.query(`begin; lock table ${table}`)
    await act()
    await client.query('commit')
  })

/** Of the last statements of the server's connections those that read events, as seen from a connection of its own. */
const reads = () =>
  withClient(server.connection, 'test', async (client) => {
    const { rows } = await client.query<{ at: Date }>(`select query_start as at from pg_stat_activity
      where datname = current_database() and query like '%from events e%' and pid <> pg_backend_pid()`)
    return rows.map(({ at }) => at.getTime())
  })

/** They are read every 250 ms while somebody listens. */
const untilNotRead = () =>
  waitFor(async () => Date.now() - Math.max(...(await reads())) > 1000, {
    what: 'events not to be read for a second',
  })

describe('the stream of events', () => {
  test('tells of a report and what it changes, with the resource, as soon as it is stored', async () => {
    const agent = await registerTestAgent(server, { hostname: 'web1' })
    await agent.report()
    await server.api('PATCH', '/systems/web1', { body: { pinned_path: STORE_PATH } })
    const stream = await follow()
    expect(stream.response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
    })
    agent.state.system!.current = OTHER
    await agent.report()
    const drift = await waitFor(() => stream.events().find(({ event }) => event === 'drift'))
    expect(drift.data).toMatchObject({
      kind: 'drift',
      at: expect.any(String),
      resource: '/systems/web1',
      hostname: 'web1',
      details: { from: 'in_sync', to: 'pinned_mismatch', running_path: OTHER },
    })
    await waitFor(() => stream.events().some(({ event }) => event === 'report'))
  })

  test('goes on where a reader left off, and ends there when not followed', async () => {
    const first = await follow()
    const begin = first.lastId()
    first.close()
    const { db } = server.database
    for (const name of ['a', 'b', 'c']) await note(name).execute(db)
    const second = await follow({ last: begin, query: '?follow=false' })
    await waitFor(second.ended)
    expect(names(second.events())).toEqual(['a', 'b', 'c'])
    const third = await follow({ last: second.ids()[0]!, query: '?follow=false' })
    await waitFor(third.ended)
    expect(names(third.events())).toEqual(['b', 'c'])
  })

  test('misses nothing and repeats nothing when transactions commit in another order than they wrote', async () => {
    const stream = await follow()
    const begin = stream.lastId()
    await withClient(server.connection, 'test', async (slow) => {
      await slow.query('begin')
      await slow.query(`insert into events (kind, details) values ('head', '{"name": "slow"}')`)
      for (const name of ['quick1', 'quick2']) await note(name).execute(server.database.db)
      const between = await follow({ last: begin, query: '?follow=false' })
      await waitFor(between.ended)
      expect(names(between.events())).toEqual([])
      await slow.query('commit')
    })
    await waitFor(() => stream.events().length >= 3)
    expect(names(stream.events())).toEqual(['slow', 'quick1', 'quick2'])
    const resumed = await follow({ last: stream.ids()[0]!, query: '?follow=false' })
    await waitFor(resumed.ended)
    expect(names(resumed.events())).toEqual(['quick1', 'quick2'])
  })

  test('many readers that come and go while much happens each get everything once, in one order', async () => {
    const begin = (await follow()).lastId()
    const { db } = server.database
    const count = 600
    const writing = Promise.all(
      [0, 1, 2].map(async (writer) => {
        for (let n = 0; n < count / 3; n += 1) await note(`${writer}-${n}`).execute(db)
      }),
    )
    const seen: string[][] = await Promise.all(
      [0, 1, 2, 3].map(async (reader) => {
        const ids: string[] = []
        let last = begin
        while (ids.length < count) {
          const stream = await follow({ last })
          const enough = Math.min(count - ids.length, 40 + 30 * reader)
          await waitFor(() => stream.events().length >= enough)
          stream.close()
          ids.push(...stream.ids())
          last = stream.lastId()
        }
        return ids
      }),
    )
    await writing
    for (const ids of seen) {
      expect(new Set(ids).size).toBe(count)
      expect(ids).toEqual(seen[0])
    }
  })

  test.each(['x', '1', '1-', "1-1' or true", '-1-1', '1-1-1', '99999999999999999999-1'])(
    'refuses what is no id of an event: %s',
    async (last) => {
      const reply = await server.api('GET', '/events?follow=false', { headers: { 'last-event-id': last } })
      expect([reply.status, reply.body.type]).toEqual([422, 'urn:crystal-forge:problem:invalid'])
    },
  )

  test('a reader that does not read is dropped, and can go on', async () => {
    const accepted: Socket[] = []
    const accept = (socket: Socket) => void accepted.push(socket)
    server.http.server.on('connection', accept)
    const stream = await follow()
    server.http.server.off('connection', accept)
    const begin = stream.lastId()
    stream.response.pause()
    const { db } = server.database
    await sql`insert into events (kind, details)
      select 'head', jsonb_build_object('name', n, 'fill', repeat('x', 10000)) from generate_series(1, 1500) n`.execute(
      db,
    )
    await waitFor(() => accepted.some(({ destroyed }) => destroyed), { what: 'the reader to be dropped' })
    stream.response.resume()
    await waitFor(stream.ended)
    expect(stream.events().length).toBeLessThan(1500)
    const again = await follow({ last: begin, query: '?follow=false' })
    await waitFor(again.ended, { timeoutMs: 30_000 })
    expect(again.events()).toHaveLength(1500)
  })

  test('the events table is left alone when nobody listens', async () => {
    const stream = await follow()
    const first = await waitFor(async () => Math.max(0, ...(await reads())))
    await waitFor(async () => Math.max(...(await reads())) > first, { what: 'events to be read again' })
    stream.close()
    await untilNotRead()
  })

  test('and when the last reader left while it was told what it had missed', async () => {
    const first = await follow()
    const last = first.lastId()
    first.close()
    await whileLocked(server, 'events', async () => {
      const connection = once(server.http.server, 'connection')
      const stream = await follow({ last })
      const [socket] = await connection
      stream.close()
      await once(socket, 'close')
    })
    const next = await follow({ last })
    await note('heard').execute(server.database.db)
    await waitFor(() => names(next.events()).includes('heard'))
    next.close()
    await untilNotRead()
  })
})

test('a server that stops ends its streams', async () => {
  const own = await startTestServer()
  onTestFinished(own.stop)
  const response = await fetch(`${own.url}/api/v1/events`, {
    headers: { authorization: `Bearer ${own.adminToken}` },
  })
  const body = response.text()
  await own.http.close()
  expect(await body).toMatch(/^id: \d+-0\n\n/)
})

test('a reader that left before its token was looked up does not keep a server from stopping', async () => {
  const own = await startTestServer()
  onTestFinished(own.stop)
  await whileLocked(own, 'api_tokens', async () => {
    const arrived = Promise.all([once(own.http.server, 'connection'), once(own.http.server, 'request')])
    const { socket } = openRaw(own.url)
    const request = [
      'GET /api/v1/events HTTP/1.1',
      'Host: x',
      `Authorization: Bearer ${own.adminToken}`,
      '',
      '',
    ]
    socket.write(request.join('\r\n'))
    const [[accepted]] = await arrived
    socket.destroy()
    await once(accepted, 'close')
  })
  // answered after it, as both had to wait for the table
  expect((await own.api('GET', '/flakes')).status).toBe(200)
  await own.http.close()
})

describe('the timeline', () => {
  test('has drift, flags, reports and times online, newest first, in pages', async () => {
    const agent = await registerTestAgent(server, { hostname: 'line1' })
    await agent.report()
    await server.api('PATCH', '/systems/line1', { body: { pinned_path: STORE_PATH } })
    await sql`insert into online_periods (system_id, started_at, ended_at)
      select id, now() - interval '2 days', now() - interval '1 day' from systems where hostname = 'line1'`.execute(
      server.database.db,
    )
    const { body } = await server.api('GET', '/systems/line1/timeline')
    const kinds = body.entries.map(({ kind }: { kind: string }) => kind)
    expect(kinds[0]).toBe('drift')
    expect(kinds.at(-1)).toBe('online')
    expect(kinds.toSorted()).toEqual(['drift', 'drift', 'flag_raised', 'online', 'online', 'report'])
    expect(body.entries.at(-1).details).toMatchObject({ ended_at: expect.any(String) })
    for (const limit of [1, 2, 3]) {
      const entries: unknown[] = []
      for (let after: string | null = ''; after !== null;) {
        const cursor: string = after === '' ? '' : `&after=${after}`
        const page = await server.api('GET', `/systems/line1/timeline?limit=${limit}${cursor}`)
        entries.push(...page.body.entries)
        after = page.body.next
      }
      expect(entries).toEqual(body.entries)
    }
  })

  test('of a system that is not there is 404, and a cursor is what a page gave', async () => {
    expect((await server.api('GET', '/systems/nope/timeline')).status).toBe(404)
    const reply = await server.api(
      'GET',
      `/systems/line1/timeline?after=${encodeURIComponent("1.1' or true")}`,
    )
    expect([reply.status, reply.body.errors[0].path]).toEqual([422, '/querystring/after'])
  })
})
