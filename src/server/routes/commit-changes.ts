import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { CHANGES, findPrevious, listChanges, NOTHING_KNOWN } from '../../store/commit-changes.ts'
import type { Authorise } from '../api/authorise.ts'
import { PreviousOrNull, requireCommit, SHA_PATTERN } from '../api/commits.ts'
import {
  cutPage,
  DEFAULT_PAGE_SIZE,
  idOf,
  oneOf,
  PageSize,
  problemResponses,
  TextOrNull,
} from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const ChangesQuery = Type.Object(
  {
    flake: Type.Optional(idOf('Where several have the commit')),
    after: Type.Optional(Type.String({ maxLength: 1000, description: '`next` of the page before' })),
    limit: PageSize,
  },
  { additionalProperties: false },
)

const Changes = Type.Object({
  previous: PreviousOrNull,
  known: Type.Boolean({ description: 'Whether both this commit and the one before are evaluated' }),
  counts: Type.Object(Object.fromEntries(CHANGES.map((name) => [name, Type.Integer()])), {
    description: 'Configurations, of all pages',
  }),
  systems: Type.Integer({ description: 'That have one of these configurations' }),
  changes: Type.Array(
    Type.Object({
      configuration: Type.String(),
      change: {
        ...oneOf(CHANGES),
        description:
          'broken: does not evaluate any more; repaired: evaluates again; added, removed: its configuration',
      },
      before: { ...TextOrNull, description: 'Output path' },
      after: { ...TextOrNull, description: 'Output path' },
      systems: Type.Integer({ description: 'That have it' }),
      hostnames: Type.Array(Type.String(), { description: 'Of these, or of some of them' }),
    }),
  ),
  next: TextOrNull,
})
export type CommitChanges = Static<typeof Changes>

export function commitChangeRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get<{ Params: { sha: string }; Querystring: Static<typeof ChangesQuery> }>(
    '/commits/:sha/changes',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listCommitChanges',
        summary: 'Which configurations and systems a commit changes, against its first parent',
        params: Type.Object({ sha: Type.String({ pattern: SHA_PATTERN }) }),
        querystring: ChangesQuery,
        response: { 200: Changes, ...problemResponses },
      },
    },
    async ({ params, query: { flake, after = null, limit = DEFAULT_PAGE_SIZE } }) => {
      const { id } = await requireCommit(context, params.sha, flake)
      const previous = await findPrevious(context.db, id)
      const found =
        previous === null
          ? NOTHING_KNOWN
          : await listChanges(
              context.db,
              { commitId: id, previousId: previous.id },
              { after, limit: limit + 1 },
            )
      const { page, next } = cutPage(found.changes, limit, ({ configuration }) => configuration)
      return { ...found, previous, changes: page, next }
    },
  )
}
