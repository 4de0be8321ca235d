import { join } from 'node:path'
import { parseFlakeUrl } from '../fleet/flake-url.ts'
import type { FlakeConfig } from '../lib/config/load.ts'
import type { FlakeRow } from '../store/flakes.ts'
import type { FlakeAccess } from './context.ts'
import { createDeclaredCredentials } from './declared-credentials.ts'
import { createMirror, type Mirror, refOf } from './git/mirror.ts'
import type { FlakeSource } from './nix/types.ts'

/** A first fetch of a large repository over a slow line takes this; a server that says nothing is given up sooner. */
const GIT_TIMEOUT_MS = 30 * 60_000

/** Mirrors below `directory`, and the credentials that the configuration gives for their repositories. */
export function createFlakeAccess(directory: string, declared: readonly FlakeConfig[]): FlakeAccess {
  const credentials = createDeclaredCredentials(declared)
  const mirrors = new Map<number, { url: string; mirror: Mirror }>()
  const mirrorDirectory = (flake: FlakeRow) => join(directory, `flake-${flake.id}.git`)
  const mirror = (flake: FlakeRow): Mirror => {
    const known = mirrors.get(flake.id)
    // The same flake can get its address written in another way.
    if (known?.url === flake.url) return known.mirror
    const made = createMirror({
      directory: mirrorDirectory(flake),
      url: parseFlakeUrl(flake.url),
      credentials: credentials(flake),
      timeoutMs: GIT_TIMEOUT_MS,
    })
    mirrors.set(flake.id, { url: flake.url, mirror: made })
    return made
  }
  const source = (flake: FlakeRow, sha: string): FlakeSource => ({
    remote: parseFlakeUrl(flake.url).remote,
    mirror: mirrorDirectory(flake),
    ref: refOf(sha),
    rev: sha,
    directory: flake.directory,
    submodules: parseFlakeUrl(flake.url).submodules,
    allowImportFromDerivation: flake.allow_import_from_derivation,
  })
  return { mirror, source, credentials }
}
