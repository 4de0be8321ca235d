import { BlockList, isIPv6 } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { Problem } from '../../protocol/problems.ts'

/** Failed authentications an address may have in a window (protocol.md, "Status codes"). */
const FAILURES = 120
const WINDOW_MS = 60_000
/** Addresses remembered at once; beyond it the oldest window is forgotten. */
const ADDRESSES = 10_000

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

export function isLoopback(address: string): boolean {
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

export interface FailureLimit {
  /** Counts a failure; throws Problem `slow-down` when the address has had too many. */
  count: (address: string) => void
}

/**
 * Counts failed authentications by address. Successful ones are never counted or refused: hosts behind one NAT do
 * not share a limit. Loopback is exempt.
 */
export function createFailureLimit(clock: Clock): FailureLimit {
  const windows = new Map<string, { startedAt: number; failures: number }>()
  return {
    count(address) {
      if (isLoopback(address)) return
      const now = clock()
      let window = windows.get(address)
      if (window === undefined || now - window.startedAt >= WINDOW_MS) {
        window = { startedAt: now, failures: 0 }
        windows.delete(address)
        windows.set(address, window)
        forgetOldest(windows)
      }
      window.failures += 1
      if (window.failures > FAILURES)
        throw new Problem('slow-down', 'too many failed authentications from this address', {
          retryAfter: Math.max(1, Math.ceil((window.startedAt + WINDOW_MS - now) / 1000)),
        })
    },
  }
}

function forgetOldest(windows: Map<string, unknown>): void {
  if (windows.size <= ADDRESSES) return
  const oldest = windows.keys().next()
  if (oldest.done !== true) windows.delete(oldest.value)
}
