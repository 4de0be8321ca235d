import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { search } from '../../store/search.ts'
import type { Authorise } from '../api/authorise.ts'
import { problemResponses, TextOrNull } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

const SearchQuery = Type.Object(
  { text: Type.String({ minLength: 1, maxLength: 253 }) },
  { additionalProperties: false },
)

const Found = Type.Object({
  systems: Type.Array(Type.Object({ hostname: Type.String(), environment: TextOrNull })),
  flakes: Type.Array(Type.Object({ id: Type.Integer(), url: Type.String(), branch: TextOrNull })),
  commits: Type.Array(Type.Object({ sha: Type.String(), flake_id: Type.Integer(), subject: TextOrNull })),
})
export type Found = Static<typeof Found>

export function searchRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  app.get<{ Querystring: Static<typeof SearchQuery> }>(
    '/search',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'searchAll',
        summary: 'Systems, flakes and commits that a text names, at most 8 of each',
        querystring: SearchQuery,
        response: { 200: Found, ...problemResponses },
      },
    },
    async ({ query }) => search(context.db, query.text),
  )
}
