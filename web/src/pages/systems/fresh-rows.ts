import type { Answer } from '../../api/client.ts'

/** Rows of the list as they were at a time. */
export interface SystemPage extends Answer<'listSystems'> {
  /** Milliseconds since 1970. */
  readAt: number
  /** Which list they are of. */
  list: string
}

/** A page with the newer facts of its systems, which stay where they are. */
export function withFresh(page: SystemPage, fresh: SystemPage | undefined): SystemPage {
  if (!isNewer(page, fresh)) return page
  const byName = new Map(fresh.systems.map((system) => [system.hostname, system]))
  return { ...page, systems: page.systems.map((system) => byName.get(system.hostname) ?? system) }
}

/** Whether other systems are in the page now, or in another order, or more or fewer in the whole list. */
export function isOtherList(page: SystemPage, fresh: SystemPage | undefined): boolean {
  if (!isNewer(page, fresh)) return false
  return (
    page.total !== fresh.total ||
    page.systems.length !== fresh.systems.length ||
    page.systems.some(({ hostname }, index) => hostname !== fresh.systems[index]?.hostname)
  )
}

function isNewer(page: SystemPage, fresh: SystemPage | undefined): fresh is SystemPage {
  return fresh !== undefined && fresh.readAt > page.readAt
}
