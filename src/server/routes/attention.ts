import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { ATTENTION_KINDS, attentionRank, SEVERITIES, severityOf, worstFirst } from '../../fleet/attention.ts'
import { type AttentionItem, readAttention, readSilence } from '../../store/attention.ts'
import type { Authorise } from '../api/authorise.ts'
import { createReused } from '../api/reused.ts'
import { AnyJson, oneOf, PageSize, problemResponses, TextOrNull, Time } from '../api/schemas.ts'
import type { ServerContext } from '../context.ts'

/** Items of one kind that are answered at most: its list has the others. */
const MAX_EACH = 100
const DEFAULT_EACH = 10

const AttentionQuery = Type.Object(
  {
    limit: PageSize,
    each: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_EACH,
        default: DEFAULT_EACH,
        description: 'Items of one kind, so that many of one do not hide the others',
      }),
    ),
  },
  { additionalProperties: false },
)

const Kind = oneOf(ATTENTION_KINDS)
const Severity = oneOf(SEVERITIES)
const Rank = Type.Integer({ description: 'The place of the kind in the order, 1 is the worst' })

const Attention = Type.Object({
  items: Type.Array(
    Type.Object({
      kind: Kind,
      severity: Severity,
      rank: Rank,
      since: Time,
      hostname: { ...TextOrNull, description: 'null: it is of a flake' },
      environment: TextOrNull,
      flake: Type.Unsafe<AttentionItem['flake']>({
        type: ['object', 'null'],
        properties: { id: Type.Integer(), url: Type.String(), branch: TextOrNull },
        required: ['id', 'url', 'branch'],
      }),
      details: { ...AnyJson, description: 'The facts that decide it' },
    }),
  ),
  kinds: Type.Array(
    Type.Object({
      kind: Kind,
      severity: Severity,
      rank: Rank,
      count: Type.Integer({ description: 'Of all there are, also those that are not among the items' }),
    }),
    { description: 'Of which there are any, the worst first' },
  ),
  total: Type.Integer({ description: 'Of all kinds' }),
})
export type Attention = Static<typeof Attention>

export function attentionRoutes(app: FastifyInstance, context: ServerContext, authorise: Authorise): void {
  const { db, settings, log } = context
  const silenceOf = createReused({
    read: () => readSilence(db, settings.liveness, MAX_EACH),
    what: 'which systems are silent',
    log,
  })

  app.get<{ Querystring: Static<typeof AttentionQuery> }>(
    '/fleet/attention',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'listAttention',
        summary: 'What needs somebody now, the worst kind first, of one kind the oldest first',
        querystring: AttentionQuery,
        response: { 200: Attention, ...problemResponses },
      },
    },
    async ({ query: { limit = 100, each = DEFAULT_EACH } }) => {
      const { systems, ...loud } = await readAttention(db, each)
      const silent = await silenceOf(systems)
      const found = worstFirst([...loud.items, ...silent.items], { each, limit })
      const counts = { ...loud.counts, ...silent.counts }
      const kinds = ATTENTION_KINDS.map((kind) => ({ ...ranked(kind), count: counts[kind] ?? 0 })).filter(
        ({ count }) => count > 0,
      )
      return {
        items: found.map((item) => ({ ...item, ...ranked(item.kind) })),
        kinds,
        total: kinds.reduce((sum, { count }) => sum + count, 0),
      }
    },
  )
}

const ranked = (kind: AttentionItem['kind']) => ({
  kind,
  severity: severityOf(kind),
  rank: attentionRank(kind),
})
