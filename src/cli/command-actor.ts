import { userInfo } from 'node:os'
import type { Actor } from '../store/audit.ts'

/** Who runs this command, for the audit trail of the database that it changes itself. */
export function commandActor(): Actor {
  return { kind: 'command', id: null, name: userName(), role: null, address: null }
}

/** A container may run as a user that has no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
