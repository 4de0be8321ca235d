import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { DefaultContext } from './key.ts'

export const STATE_DIRECTORY_TEXT =
  '`$STATE_DIRECTORY`, else `/var/lib/crystal_forge` for root, else `$XDG_STATE_HOME/crystal_forge` (`~/.local/state/crystal_forge`)'

/**
 * Where a process keeps its state: the first of `$STATE_DIRECTORY`, a colon-separated list of systemd.exec(5), else
 * root's /var/lib, else the state directory of the XDG base directory specification, which ignores relative paths.
 */
export function defaultStateDirectory({ env, uid }: DefaultContext): string {
  const [given] = (env['STATE_DIRECTORY'] ?? '').split(':')
  if (given !== undefined && isAbsolute(given)) return given
  if (uid === 0) return '/var/lib/crystal_forge'
  const state = env['XDG_STATE_HOME']
  if (state !== undefined && isAbsolute(state)) return join(state, 'crystal_forge')
  const home = env['HOME']
  return join(home !== undefined && isAbsolute(home) ? home : homedir(), '.local', 'state', 'crystal_forge')
}
