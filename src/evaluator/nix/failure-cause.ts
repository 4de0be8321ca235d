import { errorBlock, errorSentence } from './nix-message.ts'
import type { FailureCause } from './types.ts'

/** First match wins. Of what Nix 2.8 to 2.26 and Lix write; what a flake throws is told apart before. */
const SENTENCES: readonly (readonly [FailureCause, RegExp])[] = [
  ['out_of_memory', /^(out of memory|std::bad_alloc|.*Cannot allocate memory)/],
  ['infinite_recursion', /^(infinite recursion encountered|stack overflow)/],
  [
    'import_from_derivation',
    /allow-import-from-derivation' is disabled|^path '[^']*\.drv(\^[^']*)?' is not valid/,
  ],
  [
    'forbidden',
    /is forbidden in (pure|restricted)|not allowed in pure eval|unlocked flake ref|^in pure evaluation mode, 'fetch|^unable to download|^program 'git' failed|^Cannot find Git revision|^NAR hash mismatch in input|^Failed to open archive|^executing '?hg|^hg failed/,
  ],
  ['missing_file', /^(getting status of|opening file|path) '[^']*'(: No such file| does not exist)/],
  ['missing_attribute', /^attribute '.*' missing/],
  ['syntax', /^(syntax error|undefined variable|path has a trailing slash|.* already defined at)/],
  ['assertion', /^assertion '.*' failed/s],
  ['throw', /^evaluation aborted with the following error message/],
  [
    'type_error',
    /^(value is .* while .* expected|expected .* but (found|got)|cannot (add|coerce|compare|convert|append)|attempt to call|.* is not a (function|string|list|set)|.*called (without required|with unexpected) argument)/,
  ],
]

/** Of `assert a == b` newer versions (2.26) say only what is not equal. */
const ASSERTION =
  /^assertion '.*' failed|Failed assertions:|^(an? .* with value|a list of size) '.*' is not equal to an? /s

/** Why an evaluation failed, from what Nix wrote about it. `thrown`: whether `builtins.tryEval` caught it. */
export function failureCause(stderr: string, { thrown }: { thrown: boolean }): FailureCause {
  const block = errorBlock(stderr)
  if (/^cannot look up '<.*>' in pure eval/.test(errorSentence(block))) return 'forbidden'
  // The module system throws for `assertions`, as it does for options that do not fit.
  if (thrown) return ASSERTION.test(errorSentence(block)) ? 'assertion' : 'throw'
  // Written where Nix itself has no memory to say anything.
  if (/^GC Warning: Out of Memory!/m.test(stderr)) return 'out_of_memory'
  // git refuses what the environment does not allow; Nix reports only its exit status.
  if (/^fatal: transport '.*' not allowed$/m.test(stderr)) return 'forbidden'
  const sentence = errorSentence(block)
  return SENTENCES.find(([, pattern]) => pattern.test(sentence))?.[0] ?? 'other'
}

/**
 * Whether an evaluation failed only because it was read-only: it reads a file that it has put into the store itself
 * (`import (builtins.path …)`), which read-only evaluation names but does not write.
 */
export function needsWriting(stderr: string): boolean {
  return /^path '\/nix\/store\/[^']*(?<!\.drv)' (is not valid|does not exist)/.test(
    errorSentence(errorBlock(stderr)),
  )
}
