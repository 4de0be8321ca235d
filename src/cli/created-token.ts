import type { CreatedToken } from './api.ts'
import { printJson } from './output.ts'

/**
 * Prints a new token: alone on stdout, so that `TOKEN=$(…)` gets it and nothing else; what a person has to know goes to
 * stderr.
 */
export function printCreatedToken(created: CreatedToken, about: string, json: boolean): void {
  if (json) {
    printJson(created)
    return
  }
  process.stdout.write(`${created.token}\n`)
  process.stderr.write(`${about} (id ${created.id}). It is shown this once and stored only as a hash.\n`)
}
