import { errorCode, explainError } from '../../lib/errors.ts'

/**
 * - `nix_missing`: no `nix`, `git`, `prlimit` or `setpriv` to start
 * - `store_unavailable`: the daemon is away, or the store cannot be opened
 * - `disk_full`; `state_directory`: it cannot be made or written for another reason
 * - `input_unavailable`: an input, or the mirror, cannot be read; `input_mismatch`: it is not what flake.lock says
 * - `input_refused`: an input that is not fetched for anybody, such as a file of this machine
 * - `lock_file`: flake.lock cannot be read, or does not fit flake.nix
 * - `flake_invalid`: flake.nix is missing, does not parse, or fails before any configuration
 * - `no_configurations`: the flake has no `nixosConfigurations`
 * - `timeout`, `out_of_memory`: before any configuration
 */
export type NixErrorKind =
  | 'disk_full'
  | 'flake_invalid'
  | 'input_mismatch'
  | 'input_refused'
  | 'input_unavailable'
  | 'lock_file'
  | 'nix_missing'
  | 'no_configurations'
  | 'out_of_memory'
  | 'state_directory'
  | 'store_unavailable'
  | 'timeout'

/** What lies with the machine or the network; the others last as long as the commit. */
const CAN_HEAL: ReadonlySet<NixErrorKind> = new Set([
  'disk_full',
  'input_unavailable',
  'nix_missing',
  'state_directory',
  'store_unavailable',
  'timeout',
])

/** What keeps all configurations of a flake from being evaluated. */
export class NixError extends Error {
  override name = 'NixError'
  readonly kind: NixErrorKind
  /** Whether trying again later can help. */
  readonly canHeal: boolean

  constructor(kind: NixErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
    this.canHeal = CAN_HEAL.has(kind)
  }
}

/** Runs `write`, which touches only files below `directory`. Throws a NixError that names it. */
export async function writingState<T>(directory: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    const isFull = ['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '')
    const message = `cannot write the state directory ${directory}: ${explainError(error)}`
    throw new NixError(isFull ? 'disk_full' : 'state_directory', message, { cause: error })
  }
}
