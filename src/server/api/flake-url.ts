import { parseFlakeUrl } from '../../fleet/flake-url.ts'
import { Problem } from '../../protocol/problems.ts'

/** Throws Problem invalid, with its place, for a flake's address that is none. The address is not quoted: it may hold a token. */
export function checkFlakeUrl(url: string | null | undefined, path: string): void {
  if (url === null || url === undefined) return
  try {
    parseFlakeUrl(url)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'is not the address of a flake'
    throw new Problem('invalid', `${path}: ${message}`, { cause, members: { errors: [{ path, message }] } })
  }
}
