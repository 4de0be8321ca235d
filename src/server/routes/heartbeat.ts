import type { FastifyInstance } from 'fastify'
import { BODY_LIMITS, type Heartbeat, type HeartbeatReply } from '../../protocol/messages.ts'
import { parseHeartbeat } from '../../protocol/parse.ts'
import { Problem } from '../../protocol/problems.ts'
import type { HeartbeatEntry, HeartbeatOutcome } from '../../store/heartbeats.ts'
import type { ServerContext } from '../context.ts'
import { parseAuthorised, refusedBy } from '../ingest/refusals.ts'
import type { Batcher } from '../ingest/batcher.ts'
import { heartbeatEntry, heartbeatIntervalSecs, skewSecs } from '../ingest/entries.ts'
import { bodyOf } from '../ingest/request-head.ts'
import type { Version0 } from '../ingest/version-0.ts'

/** `POST /agent/heartbeat`: alive, nothing changed. */
export function heartbeatRoute(
  app: FastifyInstance,
  context: ServerContext,
  options: { heartbeats: Batcher<HeartbeatEntry, HeartbeatOutcome>; version0: Version0 },
): void {
  app.post('/agent/heartbeat', { bodyLimit: BODY_LIMITS.heartbeat }, async (request) => {
    if (request.agent === null) return options.version0.handle(request)
    const { key, signed } = request.agent
    const heartbeat = await parseAuthorised(context, key.id, () => parseHeartbeat(bodyOf(request)).value)
    const clockSkewSecs = skewSecs(heartbeat, signed, context.clock())
    const entry = heartbeatEntry(key, { ...heartbeat, clock_skew_secs: clockSkewSecs }, context.settings)
    const outcome = await options.heartbeats.add(entry)
    if (outcome.result === 'refused') throw refusedBy(outcome.problem)
    if (outcome.result === 'replayed') throw replayed(heartbeat.sequence, outcome.lastSequence)
    if (outcome.wanted) logWanted(context, key.systemId, heartbeat, outcome.historyLost)
    return {
      state: outcome.wanted ? 'wanted' : 'known',
      heartbeat_interval_secs: heartbeatIntervalSecs(context.settings),
    } satisfies HeartbeatReply
  })
}

/** A mismatch right after an accepted report would mean that agent and server compute different digests. */
function logWanted(
  context: ServerContext,
  systemId: number,
  heartbeat: Heartbeat,
  historyLost: boolean,
): void {
  context.log.info(
    { systemId, stateDigest: heartbeat.state_digest, reported: heartbeat.reported, historyLost },
    'asked an agent for its state',
  )
}

export function replayed(sequence: number, lastSequence: number): Problem {
  return new Problem('replayed', `sequence ${sequence} is not above ${lastSequence}, the last one accepted`, {
    members: { last_sequence: lastSequence },
  })
}
