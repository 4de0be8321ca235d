import { useSession } from './session.ts'

const RANK = { viewer: 0, operator: 1, admin: 2 } as const

/** Why the reader may not do what takes this role; null when the reader may. The server decides, this only says so before. */
export function useMay(atLeast: 'operator' | 'admin'): string | null {
  const { role, user } = useSession()
  if (role !== null && RANK[role] >= RANK[atLeast]) return null
  if (user === null) return `Sign in as ${atLeast} to do this`
  return `This needs the role ${atLeast}; you are ${role ?? 'nobody'}`
}
