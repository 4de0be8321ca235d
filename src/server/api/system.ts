import { Problem } from '../../protocol/problems.ts'
import { findSystem, type SystemRow } from '../../store/systems.ts'
import type { ServerContext } from '../context.ts'

export function noSuchSystem(hostname: string): Problem {
  return new Problem('not-found', `there is no system ${hostname.slice(0, 253)}`)
}

/** The system a path names, archived or not. Throws Problem not-found. */
export async function requireSystem(context: ServerContext, hostname: string): Promise<SystemRow> {
  const system = await findSystem(context.db, hostname)
  if (system === null) throw noSuchSystem(hostname)
  return system
}

/** The same, for a change: what a configuration declares is changed there. Throws Problem read-only. */
export async function requireChangeable(context: ServerContext, hostname: string): Promise<SystemRow> {
  const system = await requireSystem(context, hostname)
  if (system.declared)
    throw new Problem(
      'read-only',
      `${system.hostname} is declared in the server's configuration; change it there`,
    )
  return system
}
