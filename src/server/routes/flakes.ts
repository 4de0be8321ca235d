import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { Problem } from '../../protocol/problems.ts'
import { askForSync } from '../../store/asked-syncs.ts'
import { changeAs } from '../../store/audit.ts'
import { COMMIT_STATUSES } from '../../store/commit-list.ts'
import { listFlakeDetails } from '../../store/flake-list.ts'
import { addFlake, archiveFlake, DEFAULT_SEARCH_DEPTH } from '../../store/flakes.ts'
import { actorOf } from '../api/actor.ts'
import type { Authorise } from '../api/authorise.ts'
import { checkFlakeUrl } from '../api/flake-url.ts'
import { checkFlake, noSuchFlake, requireFlake } from '../api/flakes.ts'
import { idOf, oneOfOrNull, problemResponses, TextOrNull, Time, TimeOrNull } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const Flake = Type.Object({
  id: Type.Integer(),
  url: Type.String(),
  branch: Type.Unsafe<string | null>({ ...TextOrNull, description: "null follows the remote's HEAD" }),
  declared: Type.Boolean({ description: "In the server's configuration, and changed there" }),
  allow_import_from_derivation: Type.Boolean(),
  search_depth: Type.Integer(),
  created_at: Time,
  archived_at: TimeOrNull,
  systems: Type.Integer({ description: 'That have it' }),
  head_branch: TextOrNull,
  head_sha: TextOrNull,
  head_subject: TextOrNull,
  head_status: oneOfOrNull(COMMIT_STATUSES),
  head_arrived_at: TimeOrNull,
  synced_at: TimeOrNull,
  sync_failed_at: TimeOrNull,
  sync_error: TextOrNull,
  next_poll_at: Time,
})
export type Flake = Static<typeof Flake>

const NewFlake = Type.Object(
  {
    url: Type.String({ minLength: 1, maxLength: 2048 }),
    branch: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    search_depth: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    allow_import_from_derivation: Type.Optional(
      Type.Boolean({ description: 'Lets its evaluation build and download; takes the role admin' }),
    ),
  },
  { additionalProperties: false },
)
export type NewFlake = Static<typeof NewFlake>

const Params = Type.Object({ id: idOf('Of the flake') })

export function flakeRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get(
    '/flakes',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listFlakes',
        summary: 'The flakes that are followed, in the order in which they were added',
        response: { 200: Type.Object({ flakes: Type.Array(Flake) }), ...problemResponses },
      },
    },
    async () => ({ flakes: await listFlakeDetails(context.db) }),
  )

  app.get<{ Params: { id: number } }>(
    '/flakes/:id',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'getFlake',
        summary: 'One flake, also when it is archived',
        params: Params,
        response: { 200: Flake, ...problemResponses },
      },
    },
    ({ params }) => requireFlake(context, params.id),
  )

  app.post<{ Body: NewFlake }>(
    '/flakes',
    {
      onRequest: authorise('operator'),
      schema: {
        operationId: 'addFlake',
        summary: 'Follows a flake from now on; an archived one comes back with these settings',
        body: NewFlake,
        response: { 201: Type.Object({ id: Type.Integer() }), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { body, caller } = request
      const { url, branch = null, allow_import_from_derivation: allow = false } = body
      checkFlake({ url, branch })
      checkFlakeUrl(url, '/body/url', caller)
      if (allow && caller?.role !== 'admin')
        throw new Problem('forbidden', 'allow_import_from_derivation needs the role admin')
      const searchDepth = body.search_depth ?? DEFAULT_SEARCH_DEPTH
      const settings = { url, branch, allowImportFromDerivation: allow, searchDepth }
      const { id, wasThere } = await changeAs(context.db, actorOf(request), (transaction) =>
        addFlake(transaction, settings, false),
      )
      if (wasThere)
        throw new Problem(
          'conflict',
          `this repository, directory and branch are followed already: flake ${id}`,
        )
      return reply.code(201).send({ id })
    },
  )

  app.delete<{ Params: { id: number } }>(
    '/flakes/:id',
    {
      onRequest: authorise('operator'),
      schema: {
        operationId: 'archiveFlake',
        summary: 'Follows a flake no longer, when no system has it; what is known of it stays',
        params: Params,
        response: { 204: Type.Null({ description: 'Done' }), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const outcome = await changeAs(context.db, actorOf(request), (transaction) =>
        archiveFlake(transaction, id),
      )
      if (outcome.result === 'not-found') throw noSuchFlake(id)
      if (outcome.result === 'declared')
        throw new Problem(
          'read-only',
          `flake ${id} is declared in the server's configuration; change it there`,
        )
      if (outcome.result === 'in-use')
        throw new Problem(
          'conflict',
          `flake ${id} says what ${outcome.systems} ${outcome.systems === 1 ? 'system has' : 'systems have'} to run: ` +
            'archive them or give them another one first',
        )
      return reply.code(204).send()
    },
  )

  app.post<{ Params: { id: number } }>(
    '/flakes/:id/sync',
    {
      onRequest: authorise('operator'),
      schema: {
        operationId: 'syncFlake',
        summary: 'Has an evaluator ask Git for the head of the branch; the answer is the flake before that',
        params: Params,
        response: { 202: Flake, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const flake = await requireFlake(context, id)
      if (flake.archived_at !== null)
        throw new Problem('conflict', `flake ${id} is archived: it is not followed`)
      await askForSync(context.db, context.jobs, { flake, actor: actorOf(request) })
      return reply.code(202).send(flake)
    },
  )
}
