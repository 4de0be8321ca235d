import { readFileSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../lib/duration.ts'

/** Seconds of a duration such as `24h`, as the API takes them. */
export function parseExpiry(text: string): number {
  let milliseconds: number
  try {
    milliseconds = parseDuration(text)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : 'is no duration')
  }
  if (milliseconds < 60_000) throw new InvalidArgumentError('has to be a minute at least')
  return Math.floor(milliseconds / 1000)
}

/** A whole number from 1 on: a count, or the id that a list shows. */
export function parsePositive(text: string): number {
  const number = Number(text)
  if (!/^[1-9]\d*$/.test(text) || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('has to be a whole number, 1 or more')
  return number
}

/** For an option that may be given several times. */
export function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text]
}

/** The public key in a file, as `keygen` writes it. */
export function readPublicKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new Error('cannot read the public key', { cause })
  }
}
