import type { FastifyRequest } from 'fastify'
import { sameHostname } from '../../fleet/flags.ts'
import { sha256Id, stateDigest } from '../../protocol/digests.ts'
import { Problem } from '../../protocol/problems.ts'
import { toVersion1Facts, type Version1Facts } from '../../protocol/v0-facts.ts'
import { checkVersion0Freshness, parseVersion0, readVersion0Signature } from '../../protocol/v0.ts'
import { findStateDigest } from '../../store/contacts.ts'
import type { HeartbeatOutcome } from '../../store/heartbeats.ts'
import { findKeysOfHost, type RegisteredKey } from '../../store/keys.ts'
import type { ReportEntry, ReportOutcome } from '../../store/reports.ts'
import type { ServerContext, ServerSettings } from '../context.ts'
import type { Verify } from '../ed25519.ts'
import { NOBODY } from './authenticate.ts'
import type { Batches } from './batches.ts'
import { parseAuthorised, refusedBy } from './refusals.ts'
import { flagFacts, offlineAfterSecs } from './entries.ts'
import type { FailureLimit } from './failure-limit.ts'
import { bodyOf } from './request-head.ts'

/** Serves agents of the earlier Crystal Forge (protocol.md, "Version 0"). */
export interface Version0 {
  handle: (request: FastifyRequest) => Promise<object>
}

/** Seconds; those agents have no setting for it. */
const INTERVAL_SECS = 600

/** Whether a request is one of version 0 and such are served. Any other goes the way of version 1. */
export function isVersion0(request: FastifyRequest, settings: ServerSettings): boolean {
  return (
    settings.acceptVersion0 &&
    request.headers['x-signature'] !== undefined &&
    request.headers['signature-input'] === undefined
  )
}

export function createVersion0(
  context: ServerContext,
  options: { verify: Verify; limit: FailureLimit; batches: Batches },
): Version0 {
  const { verify, limit, batches } = options

  /** The key of the named host that signed the body: a system in rotation has several. */
  const authenticate = async (request: FastifyRequest): Promise<RegisteredKey & { hostname: string }> => {
    const { hostname, signatureBytes } = readVersion0Signature({
      keyId: singleHeader(request, 'x-key-id'),
      signature: singleHeader(request, 'x-signature'),
    })
    const keys = await findKeysOfHost(context.db, hostname)
    if (keys.length === 0) verify(NOBODY, bodyOf(request), signatureBytes)
    const signer = keys.find((key) => verify(key.publicKey, bodyOf(request), signatureBytes))
    if (signer === undefined)
      throw new Problem('bad-signature', 'no active key of this host made this signature')
    return signer
  }

  const authenticateCounted = async (request: FastifyRequest) => {
    try {
      return await authenticate(request)
    } catch (error) {
      if (error instanceof Problem && error.problem !== 'malformed') limit.count(request.ip)
      throw error
    }
  }

  return {
    async handle(request) {
      const key = await authenticateCounted(request)
      const message = await parseAuthorised(context, key.id, () => parseVersion0(bodyOf(request)).value)
      if (!sameHostname(message.hostname, key.hostname))
        throw new Problem('wrong-host', 'the host name in the body is not that of the key')
      const sequence = checkVersion0Freshness(message, context.clock())
      const facts = toVersion1Facts(message)
      const digest = stateDigest({ fingerprint: facts.fingerprint, system: facts.system })
      const common = {
        systemId: key.systemId,
        keyId: key.id,
        protocol: 0 as const,
        sequence,
        bootId: null,
        stateDigest: digest,
        intervalSecs: INTERVAL_SECS,
        offlineAfterSecs: offlineAfterSecs(context.settings, INTERVAL_SECS),
      }
      const isHeartbeat = request.url === '/agent/heartbeat'
      // told by content and not by endpoint: a heartbeat that carries changed state is a report
      if (isHeartbeat && digest === (await findStateDigest(context.db, key.systemId))) {
        const outcome = await batches.heartbeats.add({
          ...common,
          uptimeSecs: message.uptime_secs === null ? null : Math.trunc(message.uptime_secs ?? 0),
          clockSkewSecs: 0,
          currentSystem: facts.system.current,
          reported: null,
        })
        throwUnlessRecorded(outcome, sequence)
      } else {
        const outcome = await batches.reports.add({ ...common, ...reportOf(request, facts) })
        throwUnlessRecorded(outcome, sequence)
      }
      return isHeartbeat ? { desired_target: null } : {}
    },
  }
}

type ReportPart = Omit<
  ReportEntry,
  | 'systemId'
  | 'keyId'
  | 'protocol'
  | 'sequence'
  | 'bootId'
  | 'stateDigest'
  | 'intervalSecs'
  | 'offlineAfterSecs'
>

function reportOf(request: FastifyRequest, facts: Version1Facts): ReportPart {
  const body = bodyOf(request)
  const { system, fingerprint } = facts
  return {
    id: sha256Id(body),
    observedAt: new Date(facts.observedAt),
    reason: facts.reason,
    previous: null,
    dropped: 0,
    facts: flagFacts({
      system,
      fingerprint,
      spool_failed: false,
      clock_skew_secs: 0,
      dropped: 0,
      previous: null,
    }),
    system,
    fingerprint,
    evidence: {
      body,
      method: request.method,
      authority: request.headers.host ?? '',
      path: request.url,
      contentDigest: null,
      signatureInput: null,
      signature: singleHeader(request, 'x-signature') ?? '',
    },
  }
}

function throwUnlessRecorded(outcome: HeartbeatOutcome | ReportOutcome, sequence: number): void {
  if (outcome.result === 'refused') throw refusedBy(outcome.problem)
  if (outcome.result === 'wrong-host')
    throw new Problem('wrong-host', 'the host name in the body is that of another registered system')
  if (outcome.result === 'replayed')
    throw new Problem('replayed', `timestamp ${sequence} is not after ${outcome.lastSequence}`, {
      members: { last_sequence: outcome.lastSequence },
    })
}

function singleHeader(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}
