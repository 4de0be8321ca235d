import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import { errorCode } from '../../lib/errors.ts'
import { writeFileDurably } from '../../lib/files.ts'
import type { Logger } from '../../lib/log.ts'
import { createSetUpToken, isSetUpToken } from '../../store/one-time-links.ts'
import type { DB } from '../../store/schema.generated.ts'
import { hasUsers } from '../../store/users.ts'

const FILE = 'setup-link'

/**
 * While there is no user, sees to it that a link is in the state directory with which the first one is made, and removes it
 * once there is. It is printed where a person looks on, never to a log. Several servers share one database, and
 * the link that one of them made last works.
 */
export async function offerSetUp(options: {
  db: Kysely<DB>
  stateDir: string
  /** Where browsers reach the server. */
  url: string
  log: Logger
}): Promise<void> {
  const { db, stateDir, log } = options
  const file = join(stateDir, FILE)
  const found = await hasUsers(db)
  try {
    if (found) return await rm(file, { force: true })
    const link = (await presentLink(db, file)) ?? (await keepNewSetUpLink(options))
    if (process.stdout.isTTY) process.stdout.write(`Make the first administrator: ${link}\n`)
  } catch (err) {
    // agents and tokens work without users
    if (errorCode(err) === undefined) throw err
    log.error(
      { err, file },
      'the link for the first administrator cannot be kept: let the server write there',
    )
    return
  }
  log.info({ file }, 'there is no user yet: the link in this file makes the first administrator')
}

/** Makes the link with which the first administrator is made, and keeps it in the state directory; the one before ends. */
export async function keepNewSetUpLink(options: {
  db: Kysely<DB>
  stateDir: string
  url: string
}): Promise<string> {
  const { db, stateDir, url } = options
  // with a PostgreSQL of their own servers keep nothing else there
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  const link = setUpLink(url, await createSetUpToken(db))
  await writeFileDurably(join(stateDir, FILE), `${link}\n`, { mode: 0o600 })
  return link
}

/** The token is in the fragment, which browsers send to nobody: no access log has it. */
function setUpLink(url: string, token: string): string {
  return `${browsersUrl(url)}/setup#token=${token}`
}

export function passwordLink(url: string, token: string): string {
  return `${browsersUrl(url)}/set-password#token=${token}`
}

/** A server that listens everywhere is reached somewhere. */
function browsersUrl(url: string): string {
  return url.replace(/\/$/, '').replace(/\/\/(0\.0\.0\.0|\[::\])/, '//localhost')
}

async function presentLink(db: Kysely<DB>, file: string): Promise<string | null> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return ''
    throw error
  })
  const link = text.trim()
  const token = /#token=(cfl_[A-Za-z0-9_-]{43})$/.exec(link)?.[1]
  return token !== undefined && (await isSetUpToken(db, token)) ? link : null
}
