import type { EvaluationRecord } from '../../store/evaluations.ts'
import type { EvaluationResult } from '../nix/types.ts'

/**
 * Writes results as they come: those that arrive while some are being written go together in the next transaction, so
 * that many small ones cost little and a slow one is seen at once.
 */
export function createRecorder(options: {
  record: (records: readonly EvaluationRecord[]) => Promise<void>
  nixVersion: string
}) {
  let waiting: EvaluationRecord[] = []
  let writing: Promise<void> | null = null
  let failure: unknown

  const write = async (): Promise<void> => {
    try {
      while (waiting.length > 0) {
        const records = waiting
        waiting = []
        await options.record(records)
      }
    } catch (error) {
      failure ??= error
    } finally {
      writing = null
    }
  }
  return {
    /** Throws what an earlier write failed with: what is not written need not be evaluated. */
    add: (result: EvaluationResult): void => {
      if (failure !== undefined) throw failure
      waiting.push(toRecord(result, options.nixVersion))
      writing ??= write()
    },
    /** Resolves when everything is written; rejects when something could not be. */
    finish: async (): Promise<void> => {
      await writing
      if (failure !== undefined) throw failure
    },
  }
}

function toRecord(result: EvaluationResult, nixVersion: string): EvaluationRecord {
  if (result.status === 'failed') {
    const { message, ...rest } = result
    return { ...rest, error: message, nixVersion }
  }
  const { system, ...rest } = result
  return { ...rest, platform: system, nixVersion }
}
