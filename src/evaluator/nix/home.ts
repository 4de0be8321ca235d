import { createHash } from 'node:crypto'
import { mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../../lib/errors.ts'
import { writeFileDurably } from '../../lib/files.ts'
import type { FlakeSource } from './types.ts'

/** Directories of our own, so that no setting or cache of the machine or its users has a part in an evaluation. */
export interface NixHome {
  /** HOME of Nix and git. */
  home: string
  /** NIX_CONF_DIR. */
  settings: string
  /** Below it a cache directory for each mirror: Nix checks nobody's right to read what it has cached. */
  caches: string
  /** PATH of evaluations: git alone. */
  programs: string
  /** Garbage collector roots: links into the store, named by what they hold. */
  roots: string
  /** Lists of what evaluations wrote into the store, named likewise. */
  written: string
  /** A file: what has no root of ours any more, and is still to be deleted. */
  released: string
}

/** Sources come from where flake.lock says: a cache that is away would only cost its time-outs. */
const NIX_CONF = `experimental-features = nix-command flakes
accept-flake-config = false
flake-registry =
use-registries = false
substituters =
`

/** Mirrors may belong to another user; no helper and no credentials of the machine. */
const GITCONFIG = `[safe]
\tdirectory = *
`

/** Makes the directories and files below `stateDirectory` that are missing. */
export async function prepareHome(stateDirectory: string, git: string): Promise<NixHome> {
  const root = join(stateDirectory, 'nix')
  const directories = {
    home: join(root, 'home'),
    settings: join(root, 'settings'),
    caches: join(root, 'caches'),
    programs: join(root, 'programs'),
    roots: join(root, 'roots'),
    written: join(root, 'written'),
  }
  for (const path of Object.values(directories)) await mkdir(path, { recursive: true, mode: 0o700 })
  await writeFileDurably(join(directories.settings, 'nix.conf'), NIX_CONF, { mode: 0o600 })
  await writeFileDurably(join(directories.home, '.gitconfig'), GITCONFIG, { mode: 0o600 })
  await replaceLink(git, join(directories.programs, 'git'))
  return { ...directories, released: join(root, 'released') }
}

/** Of what Nix fetches for the flake of this mirror. */
export function cacheDirectory({ caches }: NixHome, { mirror }: FlakeSource): string {
  return join(caches, createHash('sha256').update(mirror).digest('hex').slice(0, 32))
}

/** Another evaluator on the same directory may do the same at the same time. */
async function replaceLink(target: string, path: string): Promise<void> {
  await rm(path, { force: true })
  await symlink(target, path).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error
  })
}
