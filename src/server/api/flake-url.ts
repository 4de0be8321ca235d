import { parseFlakeUrl } from '../../fleet/flake-url.ts'
import { invalidAt, Problem } from '../../protocol/problems.ts'
import type { ApiCaller } from './authorise.ts'

/**
 * Throws Problem invalid, with its place, for a flake's address that is none. The address is not quoted: it may hold a
 * token. A repository on the evaluator's own machine could be anybody's: Problem forbidden unless the caller is an admin.
 */
export function checkFlakeUrl(
  url: string | null | undefined,
  path: string,
  caller: Pick<ApiCaller, 'role'> | null,
): void {
  if (url === null || url === undefined) return
  if (remoteOf(url, path).startsWith('/') && caller?.role !== 'admin')
    throw new Problem('forbidden', `${path}: a repository on the server's own machine needs the role admin`)
}

function remoteOf(url: string, path: string): string {
  try {
    return parseFlakeUrl(url).remote
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'is not the address of a flake'
    throw invalidAt(path, message, cause)
  }
}
