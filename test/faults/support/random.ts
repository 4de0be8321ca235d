export interface Random {
  /** In [0, 1). */
  next: () => number
  /** From `least` to `most`, both included. */
  integer: (least: number, most: number) => number
  chance: (probability: number) => boolean
  pick: <T>(choices: readonly [T, ...T[]]) => T
}

/** Random choices, repeated by setting CRYSTAL_FORGE_SEED to the number that is printed. */
export function createRandom(what: string): Random {
  const seed = Number(process.env['CRYSTAL_FORGE_SEED'] ?? Math.floor(Math.random() * 2 ** 32))
  process.stdout.write(`${what}: CRYSTAL_FORGE_SEED=${seed}\n`)
  const next = mulberry32(seed)
  const integer = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: (choices) => choices[integer(0, choices.length - 1)] ?? choices[0],
  }
}

/** https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32 */
function mulberry32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}
