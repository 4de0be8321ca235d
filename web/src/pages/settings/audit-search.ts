import type { Input } from '../../api/client.ts'
import { type AuditAction, isAuditAction } from './audit-actions.ts'

/** Which records are shown; in the address, so that a link shows the same. */
export interface AuditSearch {
  actor?: string
  action?: AuditAction
  subject?: string
  /** Days as `2026-11-28`, the first and the last, where the reader is. */
  from?: string
  to?: string
}

/** Takes what is valid of an address that anybody may have written. */
export function auditSearch(given: Record<string, unknown>): AuditSearch {
  const actor = textOf(given['actor'], 256)
  const subject = textOf(given['subject'], 2048)
  const { action, from, to } = given
  return {
    ...(actor !== null && { actor }),
    ...(isAuditAction(action) && { action }),
    ...(subject !== null && { subject }),
    ...(isDay(from) && { from }),
    ...(isDay(to) && { to }),
  }
}

/** What the API is asked for. */
export function auditQuery({ from, to, ...rest }: AuditSearch): NonNullable<Input<'listAudit'>['query']> {
  return {
    ...rest,
    ...(from !== undefined && { from: startOf(from, 0) }),
    ...(to !== undefined && { to: startOf(to, 1) }),
  }
}

function textOf(value: unknown, most: number): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null
  const text = String(value).trim().slice(0, most)
  return text === '' ? null : text
}

function isDay(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^\d{4}-\d{2}-\d{2}$/.test(value) &&
    !Number.isNaN(Date.parse(`${value}T00:00:00`))
  )
}

function startOf(day: string, later: number): string {
  const date = new Date(`${day}T00:00:00`)
  date.setDate(date.getDate() + later)
  return date.toISOString()
}
