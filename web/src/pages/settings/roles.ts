import type { Answer } from '../../api/client.ts'

export type Role = Answer<'listUsers'>['users'][number]['role']

/** What each may, in half a sentence; the least first. */
export const ROLES: Record<Role, string> = {
  viewer: 'reads everything but people, tokens and the audit trail',
  operator: 'also changes systems, keys, flakes and evaluations',
  admin: 'also changes users and API tokens, and reads the audit trail',
}

export function isRole(text: string): text is Role {
  return Object.hasOwn(ROLES, text)
}
