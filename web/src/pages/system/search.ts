import { isKeyOf, keysOf } from '../../keys.ts'

/** The parts of the page of a system, by their names in the address. */
const NAMES = {
  state: 'State',
  facts: 'Facts',
  timeline: 'Timeline',
  generations: 'Generations',
  online: 'Online',
  keys: 'Keys',
  reports: 'Reports',
} as const
export type TabName = keyof typeof NAMES

export const TABS = keysOf(NAMES).map((name) => ({ name, title: NAMES[name] }))

export function systemSearch({ tab }: Record<string, unknown>): { tab?: TabName } {
  return isKeyOf(NAMES, tab) && tab !== 'state' ? { tab } : {}
}
