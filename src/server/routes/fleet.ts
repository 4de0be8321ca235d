import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { DRIFT_STATES } from '../../fleet/drift.ts'
import { FLAGS } from '../../fleet/flags.ts'
import { LIVENESS } from '../../fleet/liveness.ts'
import type { Authorise } from '../api/authorise.ts'
import type { FleetCounts } from '../api/fleet-counts.ts'
import { problemResponses } from '../api/schemas.ts'

const countOf = <Name extends string>(names: readonly Name[]) =>
  Type.Unsafe<Record<Name, number>>(
    Type.Object(Object.fromEntries(names.map((name) => [name, Type.Integer()]))),
  )

const Summary = Type.Object({
  systems: Type.Integer(),
  liveness: countOf(LIVENESS),
  drift: countOf(DRIFT_STATES),
  standing: countOf(DRIFT_STATES),
  flags: countOf(FLAGS),
  pending_keys: Type.Integer(),
})
export type Summary = Static<typeof Summary>

export function fleetRoutes(
  app: FastifyInstance,
  { authorise, readCounts }: { authorise: Authorise; readCounts: FleetCounts },
): void {
  app.get(
    '/fleet/summary',
    {
      onRequest: authorise('viewer'),
      schema: {
        operationId: 'getFleetSummary',
        summary: 'Counts over all systems that are not archived, by liveness, drift, standing and flag',
        response: { 200: Summary, ...problemResponses },
      },
    },
    readCounts,
  )
}
