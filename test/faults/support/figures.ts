import { appendFile } from 'node:fs/promises'
import type { Ledger } from './verify-ledger.ts'

/** What a fault test has to show for itself. Times are those from a fault until everybody had an answer again. */
export interface Figures extends Ledger {
  name: string
  rounds: number
  recoveryMs: number[]
}

/** Prints the figures, and adds them to the file CRYSTAL_FORGE_FIGURES, one line of JSON each. */
export async function writeFigures(figures: Figures): Promise<void> {
  const { name, rounds, acknowledged, lost, duplicates, recoveryMs } = figures
  const longest =
    recoveryMs.length === 0 ? '' : `, recovered within ${Math.round(Math.max(...recoveryMs))} ms`
  process.stdout.write(
    `${name}: ${rounds} rounds, ${acknowledged} reports acknowledged, ${lost} lost, ${duplicates} twice${longest}\n`,
  )
  const file = process.env['CRYSTAL_FORGE_FIGURES']
  if (file !== undefined) await appendFile(file, `${JSON.stringify(figures)}\n`)
}
