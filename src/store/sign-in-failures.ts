import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { type Kysely, sql } from 'kysely'
import type { DB } from './schema.generated.ts'
import { knowsAddress } from './sessions.ts'

/**
 * How sign-ins are slowed down, by what fails: after `free` failures the next try has to wait, one second at first, twice as
 * long after each further one, and never longer than `most` seconds.
 *
 * An account from one address is what a guesser hammers: a quarter of an hour each is 100 guesses a day. An address is
 * held back for trying many accounts. An account from everywhere is held back by half a minute at most, and not at all from
 * where its owner signed in lately: whoever has many addresses can slow an administrator's first sign-in down, and can
 * never lock the administrator out.
 */
const LIMITS = {
  'account and address': { free: 5, most: 900 },
  address: { free: 30, most: 900 },
  account: { free: 30, most: 30 },
} as const
type Counted = keyof typeof LIMITS

/** What was not tried for so long starts again from nothing. */
const FORGET_HOURS = 24

export interface SignInTry {
  /** To be called when the password was right: its owner's mistypings are forgotten. */
  succeeded: () => Promise<void>
}

/**
 * Counts a try to sign in as failed, before the password is looked at, so that tries made at once count like tries one
 * after the other. Returns the seconds to wait instead when there were too many; such a try is not counted.
 */
export async function beginSignIn(
  db: Kysely<DB>,
  { name, address, exempt }: { name: string; address: string; exempt: boolean },
): Promise<SignInTry | { waitSecs: number }> {
  const account = name.toLowerCase()
  const network = networkOf(address)
  const subjects = new Map<string, { subject: Buffer; counted: Counted }>()
  const add = (counted: Counted, ...parts: string[]): void => {
    const subject = createHash('sha256')
      .update([counted, ...parts].join('\0'))
      .digest()
    subjects.set(subject.toString('hex'), { subject, counted })
  }
  add('account and address', account, network)
  if (!exempt) add('address', network)
  if (!(await knowsAddress(db, name, address))) add('account', account)

  const waitSecs = await db.transaction().execute(async (transaction) => {
    const hashes = [...subjects.values()].map(({ subject }) => subject)
    await sql`insert into sign_in_failures (subject, failures)
      select subject, 0 from unnest(${hashes}::bytea[]) as subject order by subject
      on conflict do nothing`.execute(transaction)
    const { rows } = await sql<{ subject: Buffer; failures: number; ago: number }>`
      select subject,
        case when last_at < now() - make_interval(hours => ${FORGET_HOURS}) then 0 else failures end as failures,
        extract(epoch from now() - last_at)::float8 as ago
      from sign_in_failures where subject = any(${hashes}::bytea[]) order by subject for update`.execute(
      transaction,
    )
    const waits = rows.map(({ subject, failures, ago }) => {
      const counted = subjects.get(subject.toString('hex'))?.counted
      return counted === undefined ? 0 : delayAfter(counted, failures) - ago
    })
    const wait = Math.max(0, ...waits)
    if (wait > 0) return Math.ceil(wait)
    await sql`update sign_in_failures set last_at = now(), failures =
        case when last_at < now() - make_interval(hours => ${FORGET_HOURS}) then 1 else failures + 1 end
      where subject = any(${hashes}::bytea[])`.execute(transaction)
    return 0
  })
  if (waitSecs > 0) return { waitSecs }
  return {
    succeeded: async () => {
      const all = [...subjects.values()]
      const own = all.filter(({ counted }) => counted === 'account and address').map(({ subject }) => subject)
      const shared = all
        .filter(({ counted }) => counted !== 'account and address')
        .map(({ subject }) => subject)
      await sql`delete from sign_in_failures where subject = any(${own}::bytea[])`.execute(db)
      // only this try is taken back: a right password among many wrong ones does not clear the address of them
      await sql`update sign_in_failures set failures = failures - 1
        where subject = any(${shared}::bytea[]) and failures > 0`.execute(db)
    },
  }
}

/** Forgets what does not count any more. */
export async function expireSignInFailures(db: Kysely<DB>): Promise<void> {
  await sql`delete from sign_in_failures where last_at < now() - make_interval(hours => ${FORGET_HOURS})`.execute(
    db,
  )
}

function delayAfter(counted: Counted, failures: number): number {
  const { free, most } = LIMITS[counted]
  return failures < free ? 0 : Math.min(most, 2 ** Math.min(failures - free, 20))
}

/** Who has one IPv6 address has 2^64 of them. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.toLowerCase().split('%')[0]?.split('::') ?? []
  const first = groupsOf(head)
  const last = groupsOf(tail ?? '')
  const whole =
    tail === undefined
      ? first
      : [...first, ...Array(Math.max(0, 8 - first.length - last.length)).fill('0'), ...last]
  return `${whole
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

function groupsOf(part: string): string[] {
  return part.split(':').filter((group) => group !== '')
}
