import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { Problem } from '../../protocol/problems.ts'

/** The second of OWASP's minimum configurations (Password Storage Cheat Sheet, "Argon2id"): 19 MiB, about 25 ms. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 } as const
const SALT_BYTES = 16
const TAG_BYTES = 32

/** NIST SP 800-63B-4, section 3.1.1.2, asks for length and for nothing else. */
export const PASSWORD_LENGTH = { minLength: 12, maxLength: 256 } as const

/** Each takes 19 MiB: so many at once, and so many more that wait. */
const AT_ONCE = 2
const WAITING = 32

const derive = promisify(argon2)

let running = 0
const waiting: (() => void)[] = []

/** The PHC string of a password: https://github.com/P-H-C/phc-string-format. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  return format(salt, await inTurn(() => tagOf(password, salt, COST)))
}

/**
 * Whether this is the password, and whether its hash should be made anew because it cost less than one does today. Without a
 * hash it takes as long, and is never right.
 */
export async function checkPassword(
  password: string,
  phc: string | null,
): Promise<{ right: boolean; outdated: boolean }> {
  const parts = phc === null ? NOBODY : parse(phc)
  const tag = await inTurn(() => tagOf(password, parts.salt, parts.cost))
  const right = phc !== null && tag.length === parts.tag.length && timingSafeEqual(tag, parts.tag)
  const { memory, passes, parallelism } = parts.cost
  return {
    right,
    outdated: memory !== COST.memory || passes !== COST.passes || parallelism !== COST.parallelism,
  }
}

interface Cost {
  memory: number
  passes: number
  parallelism: number
}

const NOBODY = { cost: COST, salt: randomBytes(SALT_BYTES), tag: randomBytes(TAG_BYTES) }

async function tagOf(password: string, nonce: Buffer, cost: Cost): Promise<Buffer> {
  // NFKC: the same characters typed on another keyboard (NIST SP 800-63B-4, section 3.1.1.2)
  return await derive('argon2id', {
    message: password.normalize('NFKC'),
    nonce,
    tagLength: TAG_BYTES,
    ...cost,
  })
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (waiting.length >= WAITING)
    throw new Problem('unavailable', 'too many sign in at this moment', { retryAfter: 2 })
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  else running += 1
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')

function format(salt: Buffer, tag: Buffer): string {
  const { memory, passes, parallelism } = COST
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`
}

function parse(phc: string): { cost: Cost; salt: Buffer; tag: Buffer } {
  const [, memory, passes, parallelism, salt, tag] =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(phc) ?? []
  if (salt === undefined || tag === undefined)
    throw new Error('a stored password is no PHC string of argon2id')
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
}
