/** Whether this is `npm run soak`, which takes minutes for what the suite does in seconds. */
export const isSoak = process.env['CRYSTAL_FORGE_SOAK'] === '1'

export function roundsOf({ suite, soak }: { suite: number; soak: number }): number {
  return isSoak ? soak : suite
}

/** For one thing to happen; the machine may be busy with other tests. */
export const WAIT_MS = 60_000

/** For a whole test of so many faults. */
export function timeLimitMs(rounds: number): number {
  return 120_000 + rounds * 60_000
}
