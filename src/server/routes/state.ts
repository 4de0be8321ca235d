import type { FastifyInstance } from 'fastify'
import { BODY_LIMITS, type StateReply } from '../../protocol/messages.ts'
import { parseStateReport } from '../../protocol/parse.ts'
import { Problem } from '../../protocol/problems.ts'
import type { ReportEntry, ReportOutcome } from '../../store/reports.ts'
import type { ServerContext } from '../context.ts'
import { limitAtOnce } from '../ingest/at-once.ts'
import type { Batcher } from '../ingest/batcher.ts'
import { REPORTS_AT_ONCE } from '../ingest/batches.ts'
import { parseAuthorised, refusedBy } from '../ingest/refusals.ts'
import { evidenceOf, reportEntry, skewSecs } from '../ingest/entries.ts'
import { bodyOf } from '../ingest/request-head.ts'
import type { Version0 } from '../ingest/version-0.ts'
import { replayed } from './heartbeat.ts'

/** `POST /agent/state`: a full report, answered once it is committed. */
export function stateRoute(
  app: FastifyInstance,
  context: ServerContext,
  options: { reports: Batcher<ReportEntry, ReportOutcome>; version0: Version0 },
): void {
  const route = { bodyLimit: BODY_LIMITS.state, ...limitAtOnce(REPORTS_AT_ONCE) }
  app.post('/agent/state', route, async (request) => {
    if (request.agent === null) return options.version0.handle(request)
    const { key, signed } = request.agent
    const body = bodyOf(request)
    const report = await parseAuthorised(context, key.id, () => parseStateReport(body).value)
    const evidence = evidenceOf(
      signed,
      {
        signatureInput: String(request.headers['signature-input']),
        signature: String(request.headers['signature']),
      },
      body,
    )
    const clockSkewSecs = skewSecs(report, signed, context.clock())
    const entry = reportEntry(key, { ...report, clock_skew_secs: clockSkewSecs }, evidence, context.settings)
    const outcome = await options.reports.add(entry)
    if (outcome.result === 'refused') throw refusedBy(outcome.problem)
    if (outcome.result === 'replayed') throw replayed(report.sequence, outcome.lastSequence)
    if (outcome.result === 'wrong-host')
      throw new Problem('wrong-host', 'the host name in the report is that of another registered system')
    return { accepted: entry.id, duplicate: outcome.result === 'duplicate' } satisfies StateReply
  })
}
