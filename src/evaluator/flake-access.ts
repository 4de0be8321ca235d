import { join } from 'node:path'
import { parseFlakeUrl } from '../fleet/flake-url.ts'
import type { FlakeConfig } from '../lib/config/load.ts'
import type { FlakeRow } from '../store/flakes.ts'
import type { FlakeAccess } from './context.ts'
import type { Credentials } from './credentials.ts'
import { createMirror, type Mirror, refOf } from './git/mirror.ts'
import type { FlakeSource } from './nix/types.ts'

/** A first fetch of a large repository over a slow line takes this; a server that says nothing is given up sooner. */
const GIT_TIMEOUT_MS = 30 * 60_000

const NO_CREDENTIALS: Credentials = { sshKey: null, knownHostsFile: null, netrc: null, accessTokens: null }

/** Mirrors below `directory`, and the credentials that the configuration gives for a repository: files are its alone to name. */
export function createFlakeAccess(directory: string, declared: readonly FlakeConfig[]): FlakeAccess {
  const byRepository = new Map(
    declared.map((flake) => [parseFlakeUrl(flake.url).repository, toCredentials(flake)]),
  )
  const mirrors = new Map<number, Mirror>()
  const credentials = (flake: FlakeRow) => byRepository.get(flake.repository) ?? NO_CREDENTIALS
  const mirrorDirectory = (flake: FlakeRow) => join(directory, `flake-${flake.id}.git`)
  const mirror = (flake: FlakeRow): Mirror => {
    const known = mirrors.get(flake.id)
    if (known !== undefined) return known
    const made = createMirror({
      directory: mirrorDirectory(flake),
      url: parseFlakeUrl(flake.url),
      credentials: credentials(flake),
      timeoutMs: GIT_TIMEOUT_MS,
    })
    mirrors.set(flake.id, made)
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

function toCredentials(flake: FlakeConfig): Credentials {
  return {
    sshKey: flake.ssh_key,
    knownHostsFile: flake.known_hosts_file,
    netrc: flake.netrc,
    accessTokens: flake.access_tokens,
  }
}
