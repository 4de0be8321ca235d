import { mkdir } from 'node:fs/promises'
import { hostname as kernelHostname } from 'node:os'
import { setTimeout as timer } from 'node:timers/promises'
import { systemClock, type Clock } from '../lib/clock.ts'
import { createLifecycle, type Lifecycle } from '../lib/lifecycle.ts'
import type { Secret } from '../lib/secret.ts'
import type { PrivateKey } from '../protocol/keys.ts'
import { createDelivery } from './delivery.ts'
import { collectFingerprint } from './facts/collect.ts'
import { lockStateDirectory } from './lock.ts'
import type { AgentLogger } from './log.ts'
import { createObserver, LOOK_TIMEOUT_MS, type ObserverOptions } from './observe.ts'
import { openOutbox, type Outbox } from './outbox.ts'
import { createPace } from './pace.ts'
import { createReporter, type Reporter } from './reporter.ts'
import { createRoot, type Root } from './root.ts'
import { createSender, type Sender } from './sender.ts'
import { SPOOL_LIMITS, type SpoolLimits } from './spool.ts'
import { createTransport, REQUEST_TIMEOUT_MS } from './transport.ts'
import { createWake } from './wake.ts'

export interface SessionOptions {
  serverUrl: URL
  /** PEM certificates to trust instead of Node's own. */
  ca: string | null
  key: PrivateKey
  enrollmentToken: Secret | null
  /** Until the server says otherwise. */
  heartbeatIntervalMs: number
  stateDir: string
  rootfs: string
  agentVersion: string
  log: AgentLogger
  clock?: Clock
  /** In [0, 1). */
  random?: () => number
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>
  collect?: ObserverOptions['collect']
  spoolLimits?: SpoolLimits
  requestTimeoutMs?: number
  lookTimeoutMs?: number
}

/** What an agent works with between start and stop; alone in its state directory. */
export interface Session {
  root: Root
  outbox: Outbox
  reporter: Reporter
  sender: Sender
  intervalMs: () => number
  /** Ends waiting and what is being sent. */
  abort: () => void
  /** Releases everything; nothing may use the session any more. */
  close: () => Promise<void>
}

/** `onInterval` is called when the server has set another heartbeat interval. */
export async function openSession(options: SessionOptions, onInterval: () => void): Promise<Session> {
  const lifecycle = createLifecycle()
  try {
    return await open(options, onInterval, lifecycle)
  } catch (error) {
    await lifecycle.stop()
    throw error
  }
}

async function open(options: SessionOptions, onInterval: () => void, lifecycle: Lifecycle): Promise<Session> {
  const { stateDir, log, clock = systemClock, random = Math.random } = options
  await mkdir(stateDir, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    log.error({ err: error }, `cannot make the state directory ${stateDir}`)
  })
  lifecycle.add('the lock', await lockStateDirectory(stateDir, log))
  const outbox = await openOutbox({ stateDir, clock, log, limits: options.spoolLimits ?? SPOOL_LIMITS })
  lifecycle.add('the outbox', outbox.close)
  const transport = await createTransport({
    serverUrl: options.serverUrl,
    ca: options.ca,
    timeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
  })
  lifecycle.add('the connection', transport.close)

  let intervalMs = options.heartbeatIntervalMs
  const wake = createWake()
  const root = createRoot(options.rootfs)
  const observer = createObserver({
    root,
    agentVersion: options.agentVersion,
    clock,
    log,
    collect: options.collect ?? collectFingerprint,
    timeoutMs: options.lookTimeoutMs ?? LOOK_TIMEOUT_MS,
  })
  const reporter = createReporter({ observer, outbox, log, onWork: wake.wake })
  const stopping = new AbortController()
  const { signal } = stopping
  const delivery = createDelivery({
    ...options,
    outbox,
    transport,
    hostname: () => reporter.latest()?.fingerprint.software.hostname ?? kernelHostname(),
    pace: createPace({ intervalMs: () => intervalMs, random }),
    clock,
    signal,
    onInterval: (secs) => {
      if (secs * 1000 === intervalMs) return
      log.info({ heartbeat_interval_secs: secs }, 'the server sets the heartbeat interval')
      intervalMs = secs * 1000
      onInterval()
    },
    onWanted: reporter.wanted,
  })
  const sender = createSender({
    outbox,
    reporter,
    delivery,
    waitForWork: wake.wait,
    sleep: options.sleep ?? sleepUntilAborted,
    signal,
    log,
  })
  return {
    root,
    reporter,
    sender,
    outbox,
    intervalMs: () => intervalMs,
    abort: () => {
      stopping.abort()
      wake.wake()
    },
    close: lifecycle.stop,
  }
}

async function sleepUntilAborted(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await timer(ms, undefined, { signal })
  } catch {
    // Aborted: the sleep is over, which is all the caller asks for.
  }
}
