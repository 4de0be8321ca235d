import { Problem } from '../../src/protocol/problems.ts'

/** The problem that `act` throws; fails when it throws none, or something else. */
export function problemOf(act: () => unknown): Problem {
  try {
    act()
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('expected a Problem to be thrown, but nothing was')
}
