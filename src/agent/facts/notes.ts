import { cleanText, MAX_TEXT_LENGTH } from './text.ts'

/** Why a fact is null or cut short. `fact` is its place in the report: `hardware.disks.sda.serial`. */
export interface Unreadable {
  fact: string
  reason: string
}

/** Collects the reasons, so that one unreadable file costs one fact and never the report. */
export interface Notes {
  add: (fact: string, reason: string) => void
  /** What `read` gives, or null and a note when it fails. */
  attempt: <T>(fact: string, read: () => T | Promise<T>) => Promise<T | null>
  /** As `attempt`, for text that may go into the report: cleaned, not empty, at most 1024 characters. */
  text: (fact: string, read: () => string | Promise<string>) => Promise<string | null>
  /** The first `limit` items, with a note when there are more. */
  bound: <T>(fact: string, items: T[], limit: number) => T[]
  /** Sorted, so that two collections of the same host compare equal. */
  list: () => Unreadable[]
}

export function createNotes(): Notes {
  const notes: Unreadable[] = []
  const add = (fact: string, reason: string) => void notes.push({ fact, reason })

  async function attempt<T>(fact: string, read: () => T | Promise<T>): Promise<T | null> {
    try {
      return await read()
    } catch (error) {
      add(fact, error instanceof Error ? error.message : String(error))
      return null
    }
  }

  return {
    add,
    attempt,
    text: (fact, read) =>
      attempt(fact, async () => {
        const text = cleanText(await read())
        if (text === '') throw new Error('is empty')
        const characters = Array.from(text)
        if (characters.length <= MAX_TEXT_LENGTH) return text
        add(fact, `cut to ${MAX_TEXT_LENGTH} of ${characters.length} characters`)
        return characters.slice(0, MAX_TEXT_LENGTH).join('')
      }),
    bound: (fact, items, limit) => {
      if (items.length > limit) add(fact, `cut to the first ${limit} of ${items.length}`)
      return items.slice(0, limit)
    },
    list: () => notes.toSorted((a, b) => compare(a.fact, b.fact) || compare(a.reason, b.reason)),
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
