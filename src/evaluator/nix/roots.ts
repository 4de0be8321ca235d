import { createHash } from 'node:crypto'
import { appendFile, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { NixContext } from './context.ts'
import { storeEnvironment, type Environment } from './environment.ts'
import { cacheDirectory } from './home.ts'
import { flakeUrl } from './flake-url.ts'
import { runNix, tryNix } from './run-nix.ts'
import { writingState } from './nix-error.ts'
import { nixError } from './nix-failure.ts'
import type { FlakeSource } from './types.ts'

/**
 * The files that a commit's roots and lists are in begin with this. Nix numbers several links itself: `KEY`, `KEY-1`…
 */
function keyOf(source: FlakeSource): string {
  return createHash('sha256').update(flakeUrl(source)).digest('hex').slice(0, 32)
}

/** Keeps the paths in the store until `collect` is called without their source. */
export async function addRoots(
  context: NixContext,
  source: FlakeSource,
  paths: readonly string[],
  { env, signal }: { env: Environment; signal: AbortSignal },
): Promise<void> {
  const link = join(context.home.roots, keyOf(source))
  const args = ['build', '--offline', '--out-link', link, '--', ...paths]
  const { timeoutMs, programs } = context
  await runNix(programs.nix, args, { action: 'keeping the inputs in the store', env, timeoutMs, signal })
}

/** Remembers derivations that evaluations wrote, for `collect`. Nothing keeps them from the machine's own collector. */
export async function rememberWritten(
  context: NixContext,
  source: FlakeSource,
  drvPaths: Iterable<string>,
): Promise<void> {
  const text = [...drvPaths].map((path) => `${path}\n`).join('')
  const { written } = context.home
  await writingState(written, () => appendFile(join(written, keyOf(source)), text, { mode: 0o600 }))
}

/**
 * Deletes from the store what was fetched and written for sources that are not in `keep`, except what others need:
 * sources in `keep`, and whatever else has a root on this machine.
 */
export async function collect(
  context: NixContext,
  keep: readonly FlakeSource[],
  signal: AbortSignal,
): Promise<void> {
  const { roots, written } = context.home
  await removeCaches(context, keep)
  const kept = new Set(keep.map(keyOf))
  const isKept = (file: string): boolean => kept.has(file.slice(0, 32))
  const stillNeeded = new Set<string>()
  const released = new Set<string>()
  for (const file of await readdir(roots)) {
    const target = await readlink(join(roots, file))
    if (isKept(file)) {
      stillNeeded.add(target)
    } else {
      await rm(join(roots, file))
      released.add(target)
    }
  }
  for (const path of released) if (!stillNeeded.has(path)) await deletePath(context, [path], signal)
  for (const file of (await readdir(written)).filter((name) => !isKept(name))) {
    const list = await readFile(join(written, file), 'utf8')
    for (const path of new Set(list.split('\n').filter(Boolean))) {
      await deletePath(context, ['--recursive', path], signal)
    }
    await rm(join(written, file))
  }
}

/** What Nix cached for mirrors of which nothing is kept. */
async function removeCaches({ home }: NixContext, keep: readonly FlakeSource[]): Promise<void> {
  const kept = new Set(keep.map((source) => cacheDirectory(home, source)))
  const found = (await readdir(home.caches)).map((name) => join(home.caches, name))
  for (const path of found) if (!kept.has(path)) await rm(path, { recursive: true, force: true })
}

async function deletePath(context: NixContext, args: readonly string[], signal: AbortSignal): Promise<void> {
  const { programs, timeoutMs } = context
  const env = storeEnvironment(context)
  const action = 'deleting from the store'
  const result = await tryNix(programs.nix, ['store', 'delete', '--offline', ...args], {
    action,
    env,
    timeoutMs,
    signal,
  })
  const isExpected = /is still alive|is not valid|does not exist/.test(result.stderr)
  if (!result.isSuccess && !isExpected) throw nixError(action, result.stderr)
}
