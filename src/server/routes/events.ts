import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { Problem } from '../../protocol/problems.ts'
import type { Authorise, FindCaller } from '../api/authorise.ts'
import { problemResponses } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'
import { createEventFeed } from '../events/feed.ts'
import { createEventStream, type EventStream, parsePosition } from '../events/stream.ts'

/** Each costs a connection and, when it comes back after a while, some reads. */
const MAX_STREAMS = 500

const EventQuery = Type.Object(
  {
    follow: Type.Optional(
      Type.Unsafe<'true' | 'false'>({
        type: 'string',
        enum: ['true', 'false'],
        default: 'true',
        description: 'false: ends with the last event that there is',
      }),
    ),
    after: Type.Optional(
      Type.String({ maxLength: 40, description: 'The id of an event; the header Last-Event-ID goes before' }),
    ),
  },
  { additionalProperties: false },
)

/** What changed, as server-sent events. */
export function eventRoutes(
  app: FastifyInstance,
  context: ServerContext,
  { authorise, findCaller }: { authorise: Authorise; findCaller: FindCaller },
): void {
  const { db, log } = context
  const feed = createEventFeed({ db, log })
  const streams = new Set<EventStream>()
  app.addHook('preClose', async () => {
    feed.stop()
    for (const stream of streams) stream.end()
    await Promise.all([...streams].map(({ closed }) => closed))
  })

  app.get<{ Querystring: { follow?: 'true' | 'false'; after?: string } }>(
    '/events',
    {
      // a page comes back for it by itself
      onRequest: authorise('viewer', { watch: true }),
      schema: {
        operationId: 'streamEvents',
        summary:
          'What changed, by resource, as server-sent events; Last-Event-ID goes on where a reader left off',
        querystring: EventQuery,
        response: {
          200: {
            description:
              'Each event has an id, a kind, and JSON with the kind, the time, the resource and details',
            content: { 'text/event-stream': { schema: Type.String() } },
          },
          ...problemResponses,
        },
      },
    },
    async (request, reply) => {
      const { headers, query } = request
      const last = headers['last-event-id'] ?? query.after
      const after = last === undefined || last === '' ? null : parsePosition(String(last))
      if (after === null && last !== undefined && last !== '')
        throw new Problem('invalid', 'Last-Event-ID must be the id of an event of this stream')
      if (streams.size >= MAX_STREAMS)
        throw new Problem('unavailable', `${MAX_STREAMS} readers follow the events already`, {
          retryAfter: 10,
        })
      reply.hijack()
      const response = reply.raw
      // gone while its token was looked up: its `close` has been, and would never free its place
      if (response.destroyed) return
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        connection: 'close',
        // nginx would hold events back
        'x-accel-buffering': 'no',
      })
      const stream = createEventStream({
        db,
        feed,
        response,
        after,
        once: query.follow === 'false',
        isWelcome: async () => (await findCaller(request, { watch: true })) !== null,
      })
      streams.add(stream)
      response.once('close', () => streams.delete(stream))
      await stream.start().catch((err: unknown) => {
        log.warn({ err }, 'a stream of events ended early')
        stream.end()
      })
    },
  )
}
