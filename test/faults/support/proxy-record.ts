import { sha256Id } from '../../../src/protocol/digests.ts'
import type { Captured, Reply } from './recording-proxy.ts'

/** What the server has said to agents, as seen between the two. */
export interface ProxyRecord {
  answered: (captured: Captured, reply: Reply) => void
  /** Key id of each report that was answered with 200, by the report's id. */
  acknowledged: Map<string, string>
  /** Reports whose 200 named another id than that of their bytes. */
  misnamed: string[]
  /** How often each was given: `/agent/state 200`. */
  statuses: Map<string, number>
  /** By key id: the highest sequence of a heartbeat that was answered with 200. */
  heartbeats: Map<string, number>
  /** By key id: when anything was last answered with 200, by performance.now(). */
  lastAcknowledgedMs: Map<string, number>
  /** How many heartbeats were answered with 200. */
  heartbeatCount: (keyId: string) => number
}

export function createRecord(): ProxyRecord {
  const counts = new Map<string, number>()
  const record: ProxyRecord = {
    acknowledged: new Map(),
    misnamed: [],
    statuses: new Map(),
    heartbeats: new Map(),
    lastAcknowledgedMs: new Map(),
    heartbeatCount: (keyId) => counts.get(keyId) ?? 0,
    answered: (captured, { status, body }) => {
      count(record.statuses, `${captured.endpoint} ${status}`)
      if (status !== 200) return
      const keyId = keyOf(captured)
      record.lastAcknowledgedMs.set(keyId, performance.now())
      if (captured.endpoint === '/agent/heartbeat') {
        const { sequence }: { sequence: number } = JSON.parse(captured.body.toString('utf8'))
        record.heartbeats.set(keyId, Math.max(sequence, record.heartbeats.get(keyId) ?? 0))
        count(counts, keyId)
      } else {
        const id = sha256Id(captured.body)
        const { accepted }: { accepted: string } = JSON.parse(body.toString('utf8'))
        if (accepted !== id) record.misnamed.push(id)
        record.acknowledged.set(id, keyId)
      }
    },
  }
  return record
}

export function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function keyOf({ rawHeaders }: Captured): string {
  const index = rawHeaders.findIndex((name) => name.toLowerCase() === 'signature-input')
  const keyId = /;keyid="([^"]+)"/.exec(rawHeaders[index + 1] ?? '')?.[1]
  if (keyId === undefined) throw new Error('a request without a keyid')
  return keyId
}
