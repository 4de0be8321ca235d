import { createHash } from 'node:crypto'
import { sha256Id, stateDigest } from '../../src/protocol/digests.ts'
import { type PrivateKey, privateKeyFromSeed } from '../../src/protocol/keys.ts'
import type { Heartbeat, StateReport } from '../../src/protocol/messages.ts'
import { signRequest } from '../../src/protocol/sign.ts'
import { createFingerprint } from '../../test/support/messages.ts'

/** No `public_url` is configured, so that one signature is good for every server. */
const AUTHORITY = 'forge.example.org'
const ALPHABET = '0123456789abcdfghijklmnpqrsvwxyz'

/** The private key of a generated system, the same in every process. */
export function keyOf(system: number): PrivateKey {
  return privateKeyFromSeed(createHash('sha256').update(`crystal-forge bench ${system}`).digest())
}

export interface Requests {
  heartbeat: (system: number) => Buffer
  /** `changing`: of another running system than the report before. */
  report: (system: number, changing: boolean) => Buffer
}

/** What one agent remembers. */
interface Host {
  key: PrivateKey
  bootId: string
  deploys: number
  sequence: number
  digest: string
  previous: string | null
}

/** Makes whole HTTP requests as agents would send them now, signed, in the order of their systems' sequences. */
export function createRequests(): Requests {
  const hosts = new Map<number, Host>()

  const hostOf = (system: number): Host => {
    const known = hosts.get(system)
    if (known !== undefined) return known
    const state = { fingerprint: fingerprintOf(system), system: systemStateOf(system, 0) }
    const host: Host = {
      key: keyOf(system),
      bootId: crypto.randomUUID(),
      deploys: 0,
      sequence: 0,
      digest: stateDigest(state),
      previous: null,
    }
    hosts.set(system, host)
    return host
  }
  const nextSequence = (host: Host): number => (host.sequence = Math.max(host.sequence + 1, Date.now()))

  return {
    heartbeat(system) {
      const host = hostOf(system)
      const heartbeat: Heartbeat = {
        version: 1,
        sequence: nextSequence(host),
        boot_id: host.bootId,
        uptime_secs: 86_400,
        clock_skew_secs: 0,
        current_system: storePathOf(system, host.deploys),
        state_digest: host.digest,
        reported: host.previous,
      }
      return signed('/agent/heartbeat', host.key, Buffer.from(JSON.stringify(heartbeat)))
    },
    report(system, changing) {
      const host = hostOf(system)
      if (changing) host.deploys += 1
      const state = { fingerprint: fingerprintOf(system), system: systemStateOf(system, host.deploys) }
      const report: StateReport = {
        version: 1,
        sequence: nextSequence(host),
        observed_at: new Date().toISOString(),
        reason: changing ? 'config_change' : 'startup',
        previous: host.previous,
        dropped: 0,
        spool_failed: false,
        boot_id: host.bootId,
        clock_skew_secs: 0,
        ...state,
      }
      const body = Buffer.from(JSON.stringify(report))
      host.previous = sha256Id(body)
      if (changing) host.digest = stateDigest(state)
      return signed('/agent/state', host.key, body)
    },
  }
}

function signed(path: string, key: PrivateKey, body: Buffer): Buffer {
  const createdSecs = Math.floor(Date.now() / 1000)
  const headers = signRequest({ method: 'POST', authority: AUTHORITY, path, body, key, createdSecs })
  const head =
    `POST ${path} HTTP/1.1\r\nHost: ${AUTHORITY}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\nContent-Digest: ${headers['content-digest']}\r\n` +
    `Signature-Input: ${headers['signature-input']}\r\nSignature: ${headers.signature}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}

export const hostnameOf = (system: number): string => `host-${system}`

/** A path as Nix makes them, another for each system and deploy. */
function storePathOf(system: number, deploys: number): string {
  const bytes = createHash('sha256').update(`${system} ${deploys}`).digest().subarray(0, 32)
  const hash = [...bytes].map((byte) => ALPHABET[byte % 32]).join('')
  return `/nix/store/${hash}-nixos-system-${hostnameOf(system)}-25.11`
}

function systemStateOf(system: number, deploys: number): NonNullable<StateReport['system']> {
  const path = storePathOf(system, deploys)
  return {
    current: path,
    booted: path,
    profile: path,
    generation: 42 + deploys,
    profile_changed_at: '2026-11-20T08:00:00Z',
    reboot_needed: [],
  }
}

function fingerprintOf(system: number): StateReport['fingerprint'] {
  const { hardware, software, ...rest } = createFingerprint()
  const digest = createHash('sha256').update(hostnameOf(system)).digest('hex')
  return {
    hardware: { ...hardware, product_uuid: digest.slice(0, 32), board_serial: digest.slice(32, 44) },
    software: { ...software, hostname: hostnameOf(system), machine_id_digest: digest },
    ...rest,
  }
}
