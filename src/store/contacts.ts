import type { Kysely, Selectable } from 'kysely'
import { toDigestOrNull } from './digest-column.ts'
import type { DB } from './schema.generated.ts'

/** The digest of a system's newest accepted report, or null before the first. */
export async function findStateDigest(db: Kysely<DB>, systemId: number): Promise<string | null> {
  const row = await db
    .selectFrom('contacts')
    .select('state_digest')
    .where('system_id', '=', systemId)
    .executeTakeFirst()
  return toDigestOrNull(row?.state_digest ?? null)
}

/** What of a report tells its boot. */
interface Boot {
  sequence: number
  observedAt: Date
  bootId: string | null
}

/**
 * What a report says of the boot, under the lock of the contact row `contact`. A boot id that is another ends the online
 * period, as one of a heartbeat does.
 */
export function bootOf(
  report: Boot,
  before: {
    contact: Pick<Selectable<DB['contacts']>, 'boot_id' | 'previous_boot_id'>
    heartbeatSequence: number
  },
): { tellsBoot: boolean; isReboot: boolean } {
  const { contact } = before
  const tellsBoot = contact.boot_id === null ? report.bootId !== null : isNewBoot(report, before)
  return { tellsBoot, isReboot: tellsBoot && contact.boot_id !== null }
}

/**
 * Whether a report comes from a boot after the one that is known, and not from an earlier one of which it waited in the
 * spool: then it was observed before the last heartbeat, whose sequence is a time (protocol.md), whichever sequence it has.
 */
function isNewBoot(
  { bootId, sequence, observedAt }: Boot,
  { contact, heartbeatSequence }: Parameters<typeof bootOf>[1],
): boolean {
  const isOther = bootId !== null && bootId !== contact.boot_id && bootId !== contact.previous_boot_id
  return isOther && Math.min(sequence, observedAt.getTime()) > heartbeatSequence
}
