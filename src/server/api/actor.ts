import type { FastifyRequest } from 'fastify'
import type { Actor } from '../../store/audit.ts'

/** Who makes the changes of a request, for the audit trail. Throws when nobody was authorised: such a request changes nothing. */
export function actorOf({ caller, ip }: Pick<FastifyRequest, 'caller' | 'ip'>): Actor {
  if (caller === null || caller.kind === 'anonymous')
    throw new Error('a change needs a caller who was authorised')
  const { kind, id, name, role } = caller
  return { kind, id: String(id), name, role, address: ip }
}
