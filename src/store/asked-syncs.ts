import type { Kysely } from 'kysely'
import { type Actor, changeAs, recordChange } from './audit.ts'
import type { JobRequests } from './job-queue.ts'
import type { DB } from './schema.generated.ts'

/** Has the remote of a flake asked for its branch because somebody wants that now. */
export async function askForSync(
  db: Kysely<DB>,
  jobs: JobRequests,
  { flake, actor }: { flake: { id: number; url: string }; actor: Actor },
): Promise<void> {
  await changeAs(db, actor, async (transaction) => {
    const subject = { kind: 'flake', id: flake.id, name: flake.url } as const
    await recordChange(transaction, { action: 'flake.sync', subject, before: null, after: null })
    await jobs.syncFlake(flake.id, transaction)
  })
}
