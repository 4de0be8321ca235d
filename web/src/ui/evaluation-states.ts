import { CircleCheck, CircleDashed, CircleX, FastForward, Hourglass, LoaderCircle } from 'lucide-react'
import type { Answer } from '../api/client.ts'
import { isKeyOf } from '../keys.ts'
import type { Shown } from './states.ts'

export type CommitStatus = Answer<'getCommit'>['status']

/** How far the evaluation of a commit is. */
export const COMMIT: Record<CommitStatus, Shown> = {
  new: {
    tone: 'quiet',
    icon: CircleDashed,
    text: 'Not evaluated',
    hint: 'Nothing has asked for its evaluation.',
  },
  queued: { tone: 'info', icon: Hourglass, text: 'Queued', hint: 'It waits for an evaluator.' },
  running: { tone: 'info', icon: LoaderCircle, text: 'Evaluating', hint: 'An evaluator is at it now.' },
  evaluated: { tone: 'good', icon: CircleCheck, text: 'Evaluated', hint: 'Each configuration has a result.' },
  failed: {
    tone: 'bad',
    icon: CircleX,
    text: 'Failed',
    hint: 'It could not be evaluated as a whole, so that no configuration has a result.',
  },
  superseded: {
    tone: 'quiet',
    icon: FastForward,
    text: 'Superseded',
    hint: 'A newer commit came before its turn.',
  },
}

export const isUnderWay = (status: CommitStatus): boolean => status === 'queued' || status === 'running'

export const RESULT: Record<'succeeded' | 'failed', Shown> = {
  succeeded: { tone: 'good', icon: CircleCheck, text: 'Succeeded', hint: 'It evaluates to a system.' },
  failed: { tone: 'bad', icon: CircleX, text: 'Failed', hint: 'It evaluates to nothing.' },
}

/** What kept a commit or a configuration from being evaluated, in a few words; causes are those of docs/evaluation.md. */
export function sayCause(cause: string): string {
  return isKeyOf(CAUSES, cause) ? CAUSES[cause] : cause.replaceAll('_', ' ')
}

/** Those that their name alone does not explain. */
const CAUSES = {
  throw: 'throws an error',
  assertion: 'an assertion fails',
  missing_attribute: 'an attribute is missing',
  missing_file: 'a file is missing',
  type_error: 'a value is of the wrong type',
  syntax: 'a syntax error',
  forbidden: 'does what is forbidden',
  timeout: 'took too long',
  out_of_memory: 'took too much memory',
  output_limit: 'printed too much',
  other: 'for another reason',
  input_mismatch: 'an input is not the locked one',
  no_configurations: 'has no nixosConfigurations',
  nix_missing: 'the evaluator has no Nix',
}
