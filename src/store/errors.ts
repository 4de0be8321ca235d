import { DatabaseError } from 'pg'
import { NoPrimaryError } from './primary.ts'

/** The SQLSTATE of an error that PostgreSQL reported, or undefined. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined
}

export const UNIQUE_VIOLATION = '23505'
const DEADLOCK_DETECTED = '40P01'

/**
 * Classes and states that say nothing about the statement: the connection, the resources or the server failed
 * (PostgreSQL manual, appendix A): 08 connection exception, 53 insufficient resources, 57P operator intervention,
 * 58 system error, 25006 a standby that is read-only.
 */
const UNAVAILABLE = /^(08|53|57P|58|25006)/

/** Messages of `pg` for a connection that could not be had or was lost; it gives these errors no code. */
const LOST =
  /timeout exceeded when trying to connect|connection terminated|client has encountered a connection error|not queryable|connection ended|cannot use a pool after calling end|query read timeout/i

/** Whether the database could not be used at all, so that the same request may succeed later. */
export function isUnavailable(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return UNAVAILABLE.test(state) || state === DEADLOCK_DETECTED
  if (error instanceof NoPrimaryError) return true
  if (!(error instanceof Error)) return false
  // system errors of the socket: ECONNREFUSED, ECONNRESET, ENOENT of a Unix socket, EPIPE …
  return ('syscall' in error && 'code' in error) || LOST.test(error.message)
}
