import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openOutbox, type Outbox, type OutboxOptions } from '../../src/agent/outbox.ts'
import { systemDigest, type HeartbeatFacts, type Observation } from '../../src/agent/report.ts'
import { stateDigest } from '../../src/protocol/digests.ts'
import type { ReportReason } from '../../src/protocol/limits.ts'
import type { StateReport } from '../../src/protocol/messages.ts'
import { parseStateReport } from '../../src/protocol/parse.ts'
import { captureLog, storePath } from './agent.ts'
import { createFingerprint, createSystemState } from './messages.ts'

const LIMITS = { reports: 512, bytes: 16 * 1024 * 1024 }

export async function openTestOutbox(
  stateDir: string,
  options: Partial<OutboxOptions> = {},
): Promise<Outbox> {
  const { log } = captureLog()
  return await openOutbox({ stateDir, clock: Date.now, log, limits: LIMITS, ...options })
}

export function observe(name: string): Observation {
  const fingerprint = createFingerprint()
  const system = { ...createSystemState(), current: storePath(name) }
  return {
    observedAtMs: Date.now(),
    bootId: '0b1f2c3d-1111-2222-3333-444455556666',
    fingerprint,
    system,
    digest: stateDigest({ fingerprint, system }),
    systemDigest: systemDigest(system),
  }
}

export async function make(outbox: Outbox, ...names: string[]): Promise<void> {
  for (const name of names) await outbox.make(observe(name), 'config_change')
}

export async function makeFor(outbox: Outbox, ...reports: [string, ReportReason][]): Promise<void> {
  for (const [name, reason] of reports) await outbox.make(observe(name), reason)
}

export function beat({ bootId, digest }: Observation): HeartbeatFacts {
  return { bootId, uptimeSecs: 1, current: null, digest }
}

/** Sends everything, and returns it as the server would read it. */
export async function drain(outbox: Outbox): Promise<(StateReport & { id: string })[]> {
  const sent = []
  for (let next = await outbox.next(); next !== null; next = await outbox.next()) {
    sent.push({ ...parseStateReport(next.body).value, id: next.report.id })
    await outbox.accepted(next.report)
  }
  return sent
}

export const names = (reports: StateReport[]): string[] =>
  reports.map(({ system }) => system!.current!.slice(storePath('').length))

export async function spoolFiles(stateDir: string): Promise<string[]> {
  const entries = await readdir(join(stateDir, 'spool'), { recursive: true })
  return entries
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(stateDir, 'spool', name))
}

/** A chain without a gap: each names the one before, and sequences rise. */
export function expectChain(reports: (StateReport & { id: string })[]): void {
  for (const [index, report] of reports.entries()) {
    if (index === 0) continue
    expect(report.previous).toBe(reports[index - 1]!.id)
    expect(report.sequence).toBeGreaterThan(reports[index - 1]!.sequence)
  }
}
