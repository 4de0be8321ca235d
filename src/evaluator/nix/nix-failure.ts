import { formatDuration } from '../../lib/duration.ts'
import type { Death } from './chunk.ts'
import { failureCause } from './failure-cause.ts'
import { NixError, type NixErrorKind } from './nix-error.ts'
import { errorBlock, errorSentence, keptMessage } from './nix-message.ts'
import type { FailureCause } from './types.ts'

/** First match wins; anything else lies in the flake. Of what Nix 2.8 to 2.26 and git write. */
const KINDS: readonly (readonly [NixErrorKind, RegExp])[] = [
  // of what was to become Nix
  ['nix_missing', /^(setpriv|prlimit): failed to execute /],
  [
    'disk_full',
    /^(?!evaluation aborted).*(No space left on device|database or disk is full|Disk quota exceeded)/,
  ],
  [
    'store_unavailable',
    /^(cannot connect to socket|Nix daemon disconnected|opening lock file|creating directory '\/nix|cannot open (SQLite|Nix) database|.*database is (busy|locked))/,
  ],
  [
    'lock_file',
    /^(cannot update (unlocked )?flake input|lock ?file contains (mutable|unlocked)|in pure evaluation mode, 'fetchTree'|flake\.lock is a )|requires lock file changes/i,
  ],
  ['input_mismatch', /hash mismatch/],
  ['out_of_memory', /^(out of memory|std::bad_alloc)/],
  ['flake_invalid', /flake\.nix' ?(file|does not exist|: No such file)|flake\.nix': No such file/],
  [
    'input_unavailable',
    /^(unable to download|program 'git' failed|Cannot find Git revision|Failed to (open archive|fetch)|getting status of|path '.*' (does not exist|is not valid|is required, but)|.*failed with exit code)/,
  ],
]

/** The error for all configurations in what Nix wrote before it came to one. `action` says what it was to do. */
export function nixError(action: string, stderr: string): NixError {
  const block = errorBlock(stderr)
  const sentence = errorSentence(block)
  const kind = KINDS.find(([, pattern]) => pattern.test(sentence))?.[0] ?? 'flake_invalid'
  return new NixError(kind, `${action} failed: ${keptMessage(block)}`)
}

/**
 * The error when a process died at a configuration of something that is the machine's: trying again can help, and a result
 * of the configuration it is not.
 */
export function machineErrorOfDeath(action: string, death: Death): NixError | null {
  if (death.ended !== 'exit' || death.thrown) return null
  const error = nixError(action, death.stderr)
  return error.kind === 'disk_full' || error.kind === 'store_unavailable' ? error : null
}

/** The error when a process died before its first configuration. */
export function errorOfDeath(action: string, death: Death, timeoutMs: number): NixError {
  if (death.ended === 'timeout') return timeoutError(action, timeoutMs)
  if (death.ended === 'output-limit') return new NixError('flake_invalid', `${action} failed: ${TOO_MUCH}`)
  if (isOutOfMemory(death)) return new NixError('out_of_memory', `${action} failed: ${NO_MEMORY}`)
  return nixError(action, death.stderr)
}

export function timeoutError(action: string, timeoutMs: number): NixError {
  return new NixError('timeout', `${action} was not done within ${formatDuration(timeoutMs)}`)
}

const TOO_MUCH = 'it wrote more than 16 MiB of traces and warnings'
const NO_MEMORY = 'it needs more memory than a process may have (memory_budget divided by workers)'

/** Cause and message of a configuration whose process died at it. */
export function failureOfDeath(death: Death, timeoutMs: number): { cause: FailureCause; message: string } {
  if (death.ended === 'timeout') {
    return { cause: 'timeout', message: `not evaluated within ${formatDuration(timeoutMs)}` }
  }
  if (death.ended === 'output-limit') return { cause: 'output_limit', message: TOO_MUCH }
  if (death.ended === 'not-a-derivation') {
    const message =
      'config.system.build.toplevel is not a derivation in /nix/store (it needs drvPath and outPath)'
    return { cause: 'type_error', message }
  }
  if (isOutOfMemory(death)) return { cause: 'out_of_memory', message: NO_MEMORY }
  const message = keptMessage(errorBlock(death.stderr))
  const end = death.signal === null ? 'without a word' : `by ${death.signal}`
  return {
    cause: failureCause(death.stderr, death),
    message: message === '' ? `Nix ended ${end}` : message,
  }
}

/** Also when the kernel killed it for its memory, which takes the largest process of the machine or the unit. */
function isOutOfMemory(death: Death): boolean {
  return (
    (death.ended === 'exit' && death.signal === 'SIGKILL') ||
    failureCause(death.stderr, death) === 'out_of_memory'
  )
}
