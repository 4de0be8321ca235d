import type { Logger } from '../../lib/log.ts'

/** To look at this many contacts takes a few milliseconds: those of a smaller fleet are read for every request. */
const REUSE_FROM = 10_000
/** For so long nothing is read again. */
const FRESH_MS = 1000
/** For so long an answer is given while the next one is read. */
const USABLE_MS = 10_000

/**
 * What takes a look at each contact, as no index can be on what every heartbeat changes: in a large fleet one answer serves
 * all that ask within a second, and those within ten while the next is read.
 */
export function createReused<Answer>(options: {
  read: () => Promise<Answer>
  what: string
  log: Logger
}): (systems: number) => Promise<Answer> {
  const { read, what, log } = options
  let last: { answer: Answer; at: number } | null = null
  let reading: Promise<Answer> | null = null

  const readAnew = async (): Promise<Answer> => {
    const answer = await read()
    last = { answer, at: performance.now() }
    return answer
  }
  const readOnce = () =>
    (reading ??= readAnew().finally(() => {
      reading = null
    }))

  return async (systems) => {
    if (systems < REUSE_FROM) return read()
    const age = last === null ? Infinity : performance.now() - last.at
    if (last === null || age > USABLE_MS) return readOnce()
    if (age > FRESH_MS)
      readOnce().catch((err: unknown) => log.warn({ err }, `${what} could not be read anew`))
    return last.answer
  }
}
