import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'
import { storableText } from './storable-text.ts'

/** A signed webhook, and what came of it. Texts are cut to `MAX_TEXT` characters. */
export interface WebhookDelivery {
  provider: string
  /** The provider's name for it, the same when it is sent again; null where it has none. */
  delivery: string | null
  event: string
  repository: string | null
  ref: string | null
  after: string | null
  /** Why nothing was done; null when the flakes are asked for their heads. */
  ignored: string | null
  flakeIds: number[]
}

export interface WebhookDeliveryRow {
  id: number
  provider: string
  delivery: string | null
  received_at: Date
  event: string
  repository: string | null
  ref: string | null
  after: string | null
  outcome: string
  reason: string | null
  flake_ids: number[]
}

/** Characters of a text that are kept: paths of files may have more, names of refs hardly. */
const MAX_TEXT = 1000
/** Longer than anybody sends a delivery again, and than one looks for what became of it. */
const KEPT_DAYS = 90

/**
 * Records a delivery and runs `act` before that is committed; when `act` fails nothing is recorded, so that it can be sent
 * again. One of the same provider and name that was recorded before, by any server, is `repeated`: nothing is done.
 */
export async function recordDelivery(
  db: Kysely<DB>,
  delivery: WebhookDelivery,
  act: () => Promise<void>,
): Promise<{ repeated: boolean }> {
  return db.transaction().execute(async (transaction) => {
    const added = await transaction
      .insertInto('webhook_deliveries')
      .values({
        provider: delivery.provider,
        delivery: delivery.delivery,
        event: cut(delivery.event),
        repository: cutOrNull(delivery.repository),
        ref: cutOrNull(delivery.ref),
        after: cutOrNull(delivery.after),
        outcome: delivery.ignored === null ? 'accepted' : 'ignored',
        reason: delivery.ignored,
        flake_ids: delivery.flakeIds,
      })
      .onConflict((conflict) => conflict.columns(['provider', 'delivery']).doNothing())
      .returning('id')
      .executeTakeFirst()
    if (added === undefined) return { repeated: true }
    await act()
    return { repeated: false }
  })
}

/** One page of deliveries, newest first, from the one after `after` (an id). */
export async function listDeliveries(
  db: Kysely<DB>,
  page: { after: number | null; limit: number },
): Promise<WebhookDeliveryRow[]> {
  return db
    .selectFrom('webhook_deliveries')
    .selectAll()
    .$if(page.after !== null, (query) => query.where('id', '<', page.after))
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute()
}

/** Forgets deliveries of more than 90 days ago. */
export async function expireDeliveries(db: Kysely<DB>): Promise<void> {
  await sql`
    delete from webhook_deliveries where received_at < now() - make_interval(days => ${KEPT_DAYS})`.execute(
    db,
  )
}

const cut = (text: string): string => storableText(text.slice(0, MAX_TEXT))
const cutOrNull = (text: string | null) => (text === null ? null : cut(text))
