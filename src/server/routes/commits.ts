import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { type Again, askForEvaluation } from '../../store/asked-evaluations.ts'
import { type CommitDetail, findCommitDetail } from '../../store/commit-detail.ts'
import { COMMIT_STATUSES, listCommits } from '../../store/commit-list.ts'
import { findFlake } from '../../store/flakes.ts'
import { actorOf } from '../api/actor.ts'
import type { Authorise } from '../api/authorise.ts'
import {
  formatPlace,
  PreviousOrNull,
  PLACE_PATTERN,
  readPlace,
  refuseUnasked,
  requireCommit,
  SHA_PATTERN,
} from '../api/commits.ts'
import { noSuchFlake } from '../api/flakes.ts'
import {
  BooleanOrNull,
  cutPage,
  DEFAULT_PAGE_SIZE,
  idOf,
  IntegerOrNull,
  oneOf,
  PageSize,
  problemResponses,
  TextOrNull,
  Time,
  TimeOrNull,
} from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const listed = {
  flake_id: Type.Integer(),
  sha: Type.String(),
  position: Type.Unsafe<number | null>({
    ...IntegerOrNull,
    description:
      'Of the first-parent commit that brought it into the branch, from 0; null: the branch does not have it any more',
  }),
  mainline: Type.Boolean({ description: 'Whether it is itself a first-parent commit' }),
  author: TextOrNull,
  subject: TextOrNull,
  committed_at: TimeOrNull,
  arrived_at: Time,
  signed: Type.Unsafe<boolean | null>({
    ...BooleanOrNull,
    description: 'Whether it carries a signature; nobody has checked it',
  }),
  status: oneOf(COMMIT_STATUSES),
  finished_at: TimeOrNull,
  cause: TextOrNull,
  configurations: IntegerOrNull,
  succeeded: Type.Integer({ description: 'Configurations' }),
  failed: Type.Integer({ description: 'Configurations' }),
  changed: Type.Unsafe<number | null>({
    ...IntegerOrNull,
    description:
      'Configurations with another path than at the first parent, of those that both evaluate; null: that is not known',
  }),
}
const ListedCommit = Type.Object(listed)
export type ListedCommit = Static<typeof ListedCommit>

const ProgressOrNull = Type.Unsafe<CommitDetail['progress']>({
  type: ['object', 'null'],
  properties: {
    done: Type.Integer({ description: 'Configurations that have a result' }),
    new: Type.Integer({ description: 'Of these, how many have it since this evaluation began' }),
    total: { ...IntegerOrNull, description: 'Configurations; null: they are not listed yet' },
  },
  required: ['done', 'new', 'total'],
  description: 'While it is evaluated, else null',
})

const Commit = Type.Object({
  ...listed,
  flake_url: Type.String(),
  is_head: Type.Boolean(),
  left_at: TimeOrNull,
  authored_at: TimeOrNull,
  queued_at: TimeOrNull,
  started_at: TimeOrNull,
  nix_version: TextOrNull,
  error: TextOrNull,
  previous: PreviousOrNull,
  progress: ProgressOrNull,
  inputs: Type.Union([
    Type.Array(
      Type.Object({
        name: Type.String(),
        type: Type.String(),
        url: TextOrNull,
        revision: TextOrNull,
        nar_hash: TextOrNull,
        last_modified: Type.Unsafe<string | null>(TimeOrNull),
      }),
    ),
    Type.Null(),
  ]),
})
export type Commit = Static<typeof Commit>

const CommitsQuery = Type.Object(
  {
    after: Type.Optional(Type.String({ pattern: PLACE_PATTERN, description: '`next` of the page before' })),
    limit: PageSize,
  },
  { additionalProperties: false },
)

const Params = Type.Object({
  sha: Type.String({ pattern: SHA_PATTERN, description: 'All of its digits, or the first 7 or more' }),
})
const OfFlake = Type.Object(
  { flake: Type.Optional(idOf('Where several have the commit')) },
  { additionalProperties: false },
)

const Asked = Type.Object(
  {
    again: Type.Optional(
      Type.Unsafe<Extract<Again, string>>({
        type: 'string',
        enum: ['none', 'failed', 'all'],
        default: 'failed',
        description: 'Configurations that have a result and are evaluated all the same',
      }),
    ),
  },
  { additionalProperties: false },
)

export function commitRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get<{ Params: { id: number }; Querystring: Static<typeof CommitsQuery> }>(
    '/flakes/:id/commits',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listCommits',
        summary: "The commits of a flake's branch that are known, newest first",
        params: Type.Object({ id: idOf('Of the flake') }),
        querystring: CommitsQuery,
        response: {
          200: Type.Object({ commits: Type.Array(ListedCommit), next: TextOrNull }),
          ...problemResponses,
        },
      },
    },
    async ({ params, query }) => {
      if ((await findFlake(context.db, params.id)) === null) throw noSuchFlake(params.id)
      const { limit = DEFAULT_PAGE_SIZE } = query
      const after = query.after === undefined ? null : readPlace(query.after)
      const rows = await listCommits(context.db, params.id, { after, limit: limit + 1 })
      const { page, next } = cutPage(rows, limit, formatPlace)
      return { commits: page, next }
    },
  )

  app.get<{ Params: { sha: string }; Querystring: Static<typeof OfFlake> }>(
    '/commits/:sha',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'getCommit',
        summary: 'One commit with its inputs, and how far its evaluation is',
        params: Params,
        querystring: OfFlake,
        response: { 200: Commit, ...problemResponses },
      },
    },
    async ({ params, query }) => {
      const commit = await requireCommit(context, params.sha, query.flake)
      return findCommitDetail(context.db, commit.id)
    },
  )

  app.post<{
    Params: { sha: string }
    Querystring: Static<typeof OfFlake>
    Body: Static<typeof Asked> | null
  }>(
    '/commits/:sha/evaluate',
    {
      onRequest: authorise('operator'),
      schema: {
        operationId: 'evaluateCommit',
        summary:
          'Has a commit evaluated: what has no result, and again what failed, or everything, or nothing else',
        params: Params,
        querystring: OfFlake,
        body: Type.Union([Asked, Type.Null()]),
        response: {
          202: Type.Object({ sha: Type.String(), flake_id: Type.Integer() }),
          ...problemResponses,
        },
      },
    },
    async (request, reply) => {
      const commit = await requireCommit(context, request.params.sha, request.query.flake)
      const { id, flake_id, sha } = commit
      const wanted = { commitId: id, again: request.body?.again ?? 'failed', actor: actorOf(request) }
      refuseUnasked(await askForEvaluation(context.db, context.jobs, wanted), commit)
      return reply.code(202).send({ sha, flake_id })
    },
  )
}
