import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { type Kysely, sql } from 'kysely'
import { inTransaction } from './database.ts'
import type { DB } from './schema.generated.ts'
import { findAccount } from './sessions.ts'

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
  /** To be called when the password was not looked at: such a try does not count. */
  takeBack: () => Promise<void>
}

/** What a try counts for, by the hex form of its hash. */
type Subjects = ReadonlyMap<string, { subject: Buffer; counted: Counted }>

/**
 * Counts a try to sign in as failed, before the password is looked at, so that tries made at once count like tries one
 * after the other. Returns the seconds to wait instead when there were too many; such a try is not counted.
 */
export async function beginSignIn(
  db: Kysely<DB>,
  { name, address, exempt }: { name: string; address: string; exempt: boolean },
): Promise<SignInTry | { waitSecs: number }> {
  const network = networkOf(address)
  const { account, addresses } = await findAccount(db, name)
  const subjects = subjectsOf({
    account,
    network,
    exempt,
    isKnown: addresses.some((each) => networkOf(each) === network),
  })
  // who has to wait is told so without a row written: else a row for each name that is made up
  const waitSecs = (await findWait(db, subjects)) || (await countTry(db, subjects))
  if (waitSecs > 0) return { waitSecs }
  const own = hashesOf(subjects, (counted) => counted === 'account and address')
  const shared = hashesOf(subjects, (counted) => counted !== 'account and address')
  return {
    succeeded: async () => {
      await sql`delete from sign_in_failures where subject = any(${own}::bytea[])`.execute(db)
      // only this try is taken back: a right password among many wrong ones does not clear the address of them
      await countOneLess(db, shared)
    },
    takeBack: () => countOneLess(db, hashesOf(subjects)),
  }
}

function subjectsOf(attempt: {
  account: string
  network: string
  exempt: boolean
  /** The account's owner signed in from there lately. */
  isKnown: boolean
}): Subjects {
  const { account, network, exempt, isKnown } = attempt
  const subjects = new Map<string, { subject: Buffer; counted: Counted }>()
  const add = (counted: Counted, ...parts: string[]): void => {
    const subject = createHash('sha256')
      .update([counted, ...parts].join('\0'))
      .digest()
    subjects.set(subject.toString('hex'), { subject, counted })
  }
  add('account and address', account, network)
  if (!exempt) add('address', network)
  if (!isKnown) add('account', account)
  return subjects
}

function hashesOf(subjects: Subjects, which: (counted: Counted) => boolean = () => true): Buffer[] {
  return [...subjects.values()].filter(({ counted }) => which(counted)).map(({ subject }) => subject)
}

/** Counts a try for all of them. Returns the seconds to wait instead where there were too many, 0 otherwise. */
async function countTry(db: Kysely<DB>, subjects: Subjects): Promise<number> {
  const hashes = hashesOf(subjects)
  return inTransaction(db, async (transaction) => {
    await sql`insert into sign_in_failures (subject, failures)
      select subject, 0 from unnest(${hashes}::bytea[]) as subject order by subject
      on conflict do nothing`.execute(transaction)
    const wait = await findWait(transaction, subjects, { lock: true })
    if (wait > 0) return wait
    await sql`update sign_in_failures set last_at = now(), failures =
        case when last_at < now() - make_interval(hours => ${FORGET_HOURS}) then 1 else failures + 1 end
      where subject = any(${hashes}::bytea[])`.execute(transaction)
    return 0
  })
}

/** The whole seconds until the next try may be made. */
async function findWait(db: Kysely<DB>, subjects: Subjects, { lock = false } = {}): Promise<number> {
  const { rows } = await sql<{ subject: Buffer; failures: number; ago: number }>`
    select subject,
      case when last_at < now() - make_interval(hours => ${FORGET_HOURS}) then 0 else failures end as failures,
      extract(epoch from now() - last_at)::float8 as ago
    from sign_in_failures where subject = any(${hashesOf(subjects)}::bytea[])
    order by subject ${lock ? sql`for update` : sql``}`.execute(db)
  const waits = rows.map(({ subject, failures, ago }) => {
    const counted = subjects.get(subject.toString('hex'))?.counted
    return counted === undefined ? 0 : delayAfter(counted, failures) - ago
  })
  return Math.ceil(Math.max(0, ...waits))
}

async function countOneLess(db: Kysely<DB>, hashes: Buffer[]): Promise<void> {
  // in the order in which tries lock them
  await sql`update sign_in_failures set failures = failures - 1 where subject in (
      select subject from sign_in_failures where subject = any(${hashes}::bytea[]) and failures > 0
      order by subject for update)`.execute(db)
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
