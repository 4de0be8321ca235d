import type { Kysely } from 'kysely'
import { stateDigest } from '../../src/protocol/digests.ts'
import type { StateReport } from '../../src/protocol/messages.ts'
import type { PrivateKey } from '../../src/protocol/keys.ts'
import { signRequest } from '../../src/protocol/sign.ts'
import { readSignedRequest } from '../../src/protocol/verify.ts'
import type { ServerSettings } from '../../src/server/context.ts'
import { evidenceOf, reportEntry } from '../../src/server/ingest/entries.ts'
import type { HeartbeatEntry } from '../../src/store/heartbeats.ts'
import { addKey } from '../../src/store/keys.ts'
import type { ReportEntry } from '../../src/store/reports.ts'
import type { DB } from '../../src/store/schema.generated.ts'
import { addSystem } from '../../src/store/systems.ts'
import { createFingerprint, createStateReport, createSystemState } from './messages.ts'
import { newKey } from './test-agent.ts'

export const SETTINGS: ServerSettings = {
  publicUrl: null,
  authorities: [],
  trustedProxies: [],
  anonymousRead: false,
  acceptVersion0: false,
  heartbeatIntervalMs: 60_000,
  liveness: { lateAfterMs: 180_000, offlineAfterMs: 900_000 },
  tls: null,
  metricsListen: null,
  webhookSecrets: { shared: [], own: [] },
  oidc: null,
}

export interface StoredSystem {
  hostname: string
  systemId: number
  key: PrivateKey
}

/** A registered system with one active key. */
export async function addStoredSystem(db: Kysely<DB>, hostname: string): Promise<StoredSystem> {
  const settings = { hostname, environment: null, flakeUrl: null, configuration: null, pinnedPath: null }
  const systemId = await addSystem(db, settings, false)
  if (systemId === null) throw new Error(`there is a system ${hostname} already`)
  const key = newKey()
  await addKey(db, { id: key.id, systemId, publicKey: key.publicKey, declared: false })
  return { hostname, systemId, key }
}

export const BOOT_A = '0000000a-1111-2222-3333-444455556666'
export const BOOT_B = '0000000b-1111-2222-3333-444455556666'
export const BOOT_C = '0000000c-1111-2222-3333-444455556666'

let lastSequence = Date.now()
export const nextSequence = (): number => (lastSequence += 1)

/** The digest of a state that says only this name. */
export const digestOf = (name: string): string => stateDigest({ fingerprint: {}, system: name })

/** A heartbeat of a healthy host whose sequence is above all before it. */
export function heartbeatOf(system: StoredSystem, members: Partial<HeartbeatEntry> = {}): HeartbeatEntry {
  return {
    systemId: system.systemId,
    keyId: system.key.id,
    sequence: nextSequence(),
    bootId: BOOT_A,
    uptimeSecs: 3600,
    clockSkewSecs: 0,
    currentSystem: createSystemState().current,
    stateDigest: digestOf('state'),
    reported: null,
    protocol: 1,
    intervalSecs: 60,
    offlineAfterSecs: 900,
    ...members,
  }
}

export interface ReportGiven {
  key?: PrivateKey
  fingerprint?: (fingerprint: StateReport['fingerprint']) => void
}

/** A signed report as the server hands it to the store; its sequence is above all before it. */
export function reportOf(
  system: StoredSystem,
  members: Partial<StateReport> = {},
  { key = system.key, fingerprint: change }: ReportGiven = {},
): ReportEntry {
  const fingerprint = createFingerprint()
  fingerprint.software.hostname = system.hostname
  change?.(fingerprint)
  const sequence = nextSequence()
  const report = createStateReport({
    sequence,
    observed_at: new Date(sequence).toISOString(),
    boot_id: BOOT_A,
    system: { ...createSystemState(), reboot_needed: [] },
    fingerprint,
    ...members,
  })
  const body = Buffer.from(JSON.stringify(report))
  const head = { method: 'POST', authority: 'forge.example.org', path: '/agent/state' }
  const headers = signRequest({ ...head, body, key, createdSecs: Math.floor(Date.now() / 1000) })
  const signatures = { signatureInput: headers['signature-input'], signature: headers.signature }
  const signed = readSignedRequest({ ...head, contentDigest: headers['content-digest'], ...signatures })
  const registered = { id: key.id, systemId: system.systemId, publicKey: key.publicKey }
  return reportEntry(registered, report, evidenceOf(signed, signatures, body), SETTINGS)
}
