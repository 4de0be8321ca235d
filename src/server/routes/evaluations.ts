import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { Problem } from '../../protocol/problems.ts'
import { askForEvaluation } from '../../store/asked-evaluations.ts'
import { COMMIT_STATUSES } from '../../store/commit-list.ts'
import {
  EVALUATION_STATUSES,
  type EvaluationPlace,
  findEvaluation,
  listEvaluations,
} from '../../store/evaluation-list.ts'
import { actorOf } from '../api/actor.ts'
import type { Authorise } from '../api/authorise.ts'
import { refuseUnasked, SHA_PATTERN } from '../api/commits.ts'
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
} from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const listed = {
  id: Type.Integer(),
  flake_id: Type.Integer(),
  sha: Type.String({ description: 'The commit' }),
  configuration: Type.String(),
  status: oneOf(EVALUATION_STATUSES),
  out_path: TextOrNull,
  nixos_version: TextOrNull,
  cause: TextOrNull,
  duration_ms: Type.Integer(),
  evaluated_at: Time,
}
const ListedEvaluation = Type.Object(listed)
export type ListedEvaluation = Static<typeof ListedEvaluation>

const Evaluation = Type.Object({
  ...listed,
  flake_url: Type.String(),
  subject: TextOrNull,
  commit_status: oneOf(COMMIT_STATUSES),
  drv_path: TextOrNull,
  platform: TextOrNull,
  kernel_version: TextOrNull,
  state_version: TextOrNull,
  embeds_revision: Type.Unsafe<boolean | null>({
    ...BooleanOrNull,
    description: 'Whether every commit changes its path: system.configurationRevision is set',
  }),
  error: TextOrNull,
  peak_memory_bytes: IntegerOrNull,
  nix_version: Type.String(),
  specialisations: Type.Array(Type.Object({ name: Type.String(), out_path: Type.String() })),
})
export type Evaluation = Static<typeof Evaluation>

/** The id of a commit and the name of a configuration. */
const PLACE_PATTERN = '^[0-9]{1,15}-.+$'

function readPlace(text: string): EvaluationPlace {
  const dash = text.indexOf('-')
  return { commitId: Number(text.slice(0, dash)), configuration: text.slice(dash + 1) }
}

const EvaluationQuery = Type.Object(
  {
    flake: Type.Optional(idOf('Its id')),
    commit: Type.Optional(Type.String({ pattern: SHA_PATTERN })),
    configuration: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    status: Type.Optional(oneOf(EVALUATION_STATUSES)),
    after: Type.Optional(
      Type.String({ pattern: PLACE_PATTERN, maxLength: 1100, description: '`next` of the page before' }),
    ),
    limit: PageSize,
  },
  { additionalProperties: false },
)

const Params = Type.Object({ id: idOf('Of the evaluation') })

export function evaluationRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  const requireEvaluation = async (id: number) => {
    const evaluation = await findEvaluation(context.db, id)
    if (evaluation !== null) return evaluation
    throw new Problem('not-found', `there is no evaluation ${id}; a later one may have taken its place`)
  }

  app.get<{ Querystring: Static<typeof EvaluationQuery> }>(
    '/evaluations',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listEvaluations',
        summary: 'What configurations evaluate to at their commits, those of commits that came later first',
        querystring: EvaluationQuery,
        response: {
          200: Type.Object({ evaluations: Type.Array(ListedEvaluation), next: TextOrNull }),
          ...problemResponses,
        },
      },
    },
    async ({ query: { after: cursor, limit = DEFAULT_PAGE_SIZE, ...filter } }) => {
      const after = cursor === undefined ? null : readPlace(cursor)
      const rows = await listEvaluations(context.db, { filter, after, limit: limit + 1 })
      const { page, next } = cutPage(rows, limit, (row) => `${row.commit_id}-${row.configuration}`)
      return { evaluations: page, next }
    },
  )

  app.get<{ Params: { id: number } }>(
    '/evaluations/:id',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'getEvaluation',
        summary: 'One configuration at one commit: what it evaluates to, or why it does not',
        params: Params,
        response: { 200: Evaluation, ...problemResponses },
      },
    },
    ({ params }) => requireEvaluation(params.id),
  )

  app.post<{ Params: { id: number } }>(
    '/evaluations/:id/retry',
    {
      onRequest: authorise('operator'),
      schema: {
        operationId: 'retryEvaluation',
        summary: 'Has this configuration evaluated again at this commit; the result gets an id of its own',
        params: Params,
        response: {
          202: Type.Object({ flake_id: Type.Integer(), sha: Type.String(), configuration: Type.String() }),
          ...problemResponses,
        },
      },
    },
    async (request, reply) => {
      const { commit_id, flake_id, sha, configuration } = await requireEvaluation(request.params.id)
      const again = { configurations: [configuration] }
      const wanted = { commitId: commit_id, again, actor: actorOf(request) }
      refuseUnasked(await askForEvaluation(context.db, context.jobs, wanted), { sha, flake_id })
      return reply.code(202).send({ flake_id, sha, configuration })
    },
  )
}
