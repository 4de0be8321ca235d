import { type Role, ROLES } from '../../store/api-tokens.ts'

/** For each role the groups that give it. */
export type RoleGroups = Readonly<Record<Role, readonly string[]>>

/** The groups of a claim: a list, or one name. Whatever else it holds gives no group. */
export function groupsOf(claim: unknown): string[] {
  const given: unknown[] = Array.isArray(claim) ? claim : [claim]
  return given.filter((group) => typeof group === 'string')
}

/** The highest role that one of the groups gives, and which group that is; null when none gives any. */
export function roleOf(
  groups: readonly string[],
  roleGroups: RoleGroups,
): { role: Role; group: string } | null {
  for (const role of ROLES.toReversed()) {
    const group = groups.find((name) => roleGroups[role].includes(name))
    if (group !== undefined) return { role, group }
  }
  return null
}
