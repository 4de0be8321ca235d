import { callbackify } from 'node:util'
import { Client, type ClientConfig, type Connection } from 'pg'
import type { DatabasePlace } from '../lib/config/network-kinds.ts'
import { explainError } from '../lib/errors.ts'

/** How long a connection may last to a server that is no longer the one to write to. */
const LOOK_MS = 5000
/** A server that takes longer to say what it is counts as away: others are asked, and somebody waits. */
const ANSWER_MS = 3000

/** None of several servers could be reached and accepts writes. */
export class NoPrimaryError extends Error {
  override name = 'NoPrimaryError'
}

/**
 * Clients for several servers of which one accepts writes, as `target_session_attrs=read-write` of libpq: they connect to
 * the one that did last, else to the first that does. While there are such clients it is asked every 5 seconds which one it is, and
 * the connections to another are broken: those to a machine that is gone without a word, and to one that was demoted.
 * As long as the last one accepts writes it is not left, even if a second one does.
 */
export function createPrimaryClient(places: readonly DatabasePlace[], config: ClientConfig): typeof Client {
  const clients = new Set<PrimaryClient>()
  let last = places[0]
  let looking: Promise<DatabasePlace> | undefined
  let timer: NodeJS.Timeout | undefined

  const look = async (): Promise<DatabasePlace> => {
    const others = places.filter((each) => each !== last)
    const refusals: string[] = []
    for (const place of last === undefined ? others : [last, ...others]) {
      const refusal = await whyNotPrimary(place, config)
      if (refusal === null) return (last = place)
      refusals.push(`${formatPlace(place)}: ${refusal}`)
    }
    throw new NoPrimaryError(`no PostgreSQL server accepts writes (${refusals.join('; ')})`)
  }
  const find = (): Promise<DatabasePlace> =>
    (looking ??= look().finally(() => {
      looking = undefined
    }))

  const watch = (): void => {
    timer ??= setTimeout(() => void leaveOthers(), LOOK_MS).unref()
  }
  const leaveOthers = async (): Promise<void> => {
    // without a primary every connection is as good as the other
    const primary = await find().catch(() => null)
    if (primary !== null)
      for (const client of clients) if (client.place !== primary) client.breakOff(formatPlace(primary))
    timer = undefined
    if (clients.size > 0) watch()
  }

  class PrimaryClient extends Client {
    place: DatabasePlace | undefined
    declare connection: Connection

    override connect(): Promise<Client>
    override connect(callback: (error: Error | null, client: Client) => void): void
    override connect(callback?: (error: Error | null, client: Client) => void): Promise<Client> | void {
      if (callback === undefined) return this.#connect()
      // as the pool calls it
      callbackify(() => this.#connect())(callback)
    }

    async #connect(): Promise<Client> {
      const place = await find()
      this.place = place
      this.host = place.host
      this.port = place.port
      await super.connect()
      clients.add(this)
      this.once('end', () => clients.delete(this))
      watch()
      return this
    }

    /** As if the network had failed, which whoever uses it is ready for. */
    breakOff(primary: string): void {
      this.connection.stream.destroy(new Error(`connection terminated, as ${primary} is the primary now`))
    }
  }
  return PrimaryClient
}

/** `db1:5432`, or the socket directory. */
export function formatPlace({ host, port }: DatabasePlace): string {
  if (host.startsWith('/')) return `the socket in ${host}`
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Null when it accepts writes. */
async function whyNotPrimary(place: DatabasePlace, config: ClientConfig): Promise<string | null> {
  const client = new Client({
    ...config,
    ...place,
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
  })
  client.on('error', () => {
    // the query fails with it
  })
  try {
    await client.connect()
    const { rows } = await client.query<{ standby: boolean; read_only: boolean }>(
      "select pg_is_in_recovery() as standby, current_setting('transaction_read_only')::boolean as read_only",
    )
    const [answer] = rows
    if (answer?.standby !== false) return 'a standby'
    return answer.read_only ? 'read-only' : null
  } catch (error) {
    return explainError(error)
  } finally {
    // one that does not answer does not close either
    client.end().catch(() => {})
  }
}
