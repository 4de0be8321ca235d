import { access, constants } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { NixError } from './nix-error.ts'

/** The absolute paths of the programs that evaluation starts. */
export interface Programs {
  nix: string
  git: string
  /** Of util-linux: sets the limit of memory that the kernel enforces. */
  prlimit: string
  /** Of util-linux: has the kernel kill what it becomes when this process dies. */
  setpriv: string
}

/** Looks in the directories of `searchPath` (the form of PATH). Throws a NixError `nix_missing`. */
export async function findPrograms(searchPath: string): Promise<Programs> {
  const find = (name: string) => findProgram(name, searchPath)
  const [nix, git, prlimit, setpriv] = await Promise.all(['nix', 'git', 'prlimit', 'setpriv'].map(find))
  if (nix && git && prlimit && setpriv) return { nix, git, prlimit, setpriv }
  const missing = Object.entries({ nix, git, prlimit, setpriv }).flatMap(([name, path]) =>
    path ? [] : [name],
  )
  throw new NixError(
    'nix_missing',
    `there is no ${missing.join(', no ')} on PATH (${searchPath}); evaluation needs nix, git, and prlimit and setpriv of util-linux`,
  )
}

async function findProgram(name: string, searchPath: string): Promise<string | null> {
  for (const directory of searchPath.split(':').filter(isAbsolute)) {
    const path = join(directory, name)
    try {
      await access(path, constants.X_OK)
      return path
    } catch {
      // not in this directory
    }
  }
  return null
}
