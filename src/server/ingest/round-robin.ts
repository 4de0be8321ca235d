/** Items that wait, by key. The keys take turns, so that one with many items costs the others no more than one with few. */
export interface RoundRobin<Item> {
  /** Puts an item behind the others of its key. False, and nothing is done, when `maxOfKey` of them wait. */
  add: (key: number, item: Item) => boolean
  /** Takes the oldest item of the key whose turn it is; undefined when there is none. The key has no turn until `done`. */
  take: () => Item | undefined
  /** What was taken of this key is dealt with: its next turn comes after those of the keys that wait now. */
  done: (key: number) => void
}

/** Either in the row of those that get a turn, with items, or taken from, perhaps without further ones. */
interface Line<Item> {
  items: Item[]
  behind: Line<Item> | undefined
}

/** Every step takes constant time: the row of lines is linked, as `Array.shift` would move thousands of them. */
export function createRoundRobin<Item>(maxOfKey: number): RoundRobin<Item> {
  const lines = new Map<number, Line<Item>>()
  let first: Line<Item> | undefined
  let last: Line<Item> | undefined

  const lineUp = (line: Line<Item>): void => {
    if (last === undefined) first = line
    else last.behind = line
    last = line
  }

  return {
    add: (key, item) => {
      const line = lines.get(key)
      if (line === undefined) {
        const added = { items: [item], behind: undefined }
        lines.set(key, added)
        lineUp(added)
        return true
      }
      if (line.items.length >= maxOfKey) return false
      line.items.push(item)
      return true
    },
    take: () => {
      const line = first
      if (line === undefined) return undefined
      first = line.behind
      line.behind = undefined
      if (first === undefined) last = undefined
      return line.items.shift()
    },
    done: (key) => {
      const line = lines.get(key)
      if (line === undefined) return
      if (line.items.length === 0) lines.delete(key)
      else lineUp(line)
    },
  }
}
