import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { sha256Id, stateDigest } from '../../../src/protocol/digests.ts'
import { generateSeed, type PrivateKey, privateKeyFromSeed } from '../../../src/protocol/keys.ts'
import { signRequest } from '../../../src/protocol/sign.ts'
import {
  createFingerprint,
  createHeartbeat,
  createStateReport,
  createSystemState,
} from '../../support/messages.ts'
import type { Random } from './random.ts'

/** Reports one state after the other, and says in between that it is alive: the load beside a few real agents. */
export interface ReportingClient {
  hostname: string
  key: PrivateKey
  start: () => void
  /** Resolves when its last report is accepted; rejects when the server refused one. */
  stop: () => Promise<void>
  /** What its newest report says. */
  system: () => { current: string; generation: number }
}

/** A request that hangs longer than this is broken off, as an agent would. */
const TIMEOUT_MS = 15_000

export function createReportingClient(options: {
  hostname: string
  url: string
  random: Random
}): ReportingClient {
  const { hostname, url, random } = options
  const key = privateKeyFromSeed(generateSeed())
  const bootId = randomUUID()
  let generation = 0
  let previous: string | null = null
  let sequence = Date.now()
  const enough = new AbortController()
  let running: Promise<void> = Promise.resolve()

  const system = () => ({ current: currentSystem(hostname, generation), generation })

  const state = () => {
    const fingerprint = createFingerprint()
    fingerprint.software.hostname = hostname
    return { fingerprint, system: { ...createSystemState(), ...system() } }
  }

  /** Also of heartbeats: what counts is that it rises. */
  const nextSequence = (): number => (sequence = Math.max(sequence + 1, Date.now()))

  const makeReport = (): Buffer =>
    encode(
      createStateReport({
        sequence: nextSequence(),
        observed_at: new Date().toISOString(),
        reason: 'config_change',
        previous,
        boot_id: bootId,
        ...state(),
      }),
    )

  /** The same bytes until they are accepted, as the spool does; a refusal is for good. */
  const sendUntilAccepted = async (body: Buffer): Promise<void> => {
    for (;;) {
      const status = await send('/agent/state', body)
      if (status === 200) return
      if (status !== null && status < 500)
        throw new Error(`the server answered ${status} to a report of ${hostname}`)
      await delay(random.integer(20, 100))
    }
  }

  /** Whatever it is answered: the next one says it again. */
  const sendHeartbeat = async (): Promise<void> => {
    const heartbeat = createHeartbeat({
      sequence: nextSequence(),
      boot_id: bootId,
      current_system: system().current,
      state_digest: stateDigest(state()),
      reported: previous,
    })
    await send('/agent/heartbeat', encode(heartbeat))
  }

  /** Null when there is no answer. */
  const send = (path: string, body: Buffer): Promise<number | null> =>
    post(url, path, body, key).catch(() => null)

  const run = async (): Promise<void> => {
    while (!enough.signal.aborted) {
      generation += 1
      const body = makeReport()
      previous = sha256Id(body)
      await sendUntilAccepted(body)
      if (random.chance(0.5)) await sendHeartbeat()
      await delay(random.integer(5, 25))
    }
  }

  return {
    hostname,
    key,
    start: () => {
      running = run()
      // the one who stops it learns of it
      running.catch(() => {})
    },
    stop: async () => {
      enough.abort()
      await running
    },
    system,
  }
}

function encode(document: object): Buffer {
  return Buffer.from(JSON.stringify(document))
}

async function post(url: string, path: string, body: Buffer, key: PrivateKey): Promise<number> {
  const createdSecs = Math.floor(Date.now() / 1000)
  const signature = signRequest({
    method: 'POST',
    authority: new URL(url).host,
    path,
    body,
    key,
    createdSecs,
  })
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...signature },
    body: new Uint8Array(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  await response.arrayBuffer()
  return response.status
}

function currentSystem(hostname: string, generation: number): string {
  return `/nix/store/${String(generation).padStart(32, '0')}-nixos-system-${hostname}-25.11`
}
