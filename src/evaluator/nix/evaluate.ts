import { randomBytes } from 'node:crypto'
import { evaluateChunk, type ChunkEnd } from './chunk.ts'
import { takeChunk } from './chunk-size.ts'
import type { NixContext } from './context.ts'
import { evaluationEnvironment } from './environment.ts'
import { needsWriting } from './failure-cause.ts'
import { flakeUrl } from './flake-url.ts'
import { NixError } from './nix-error.ts'
import { errorOfDeath, failureOfDeath, machineErrorOfDeath } from './nix-failure.ts'
import { rememberWritten } from './roots.ts'
import type { EvaluationResult, FailedEvaluation, FetchedFlake, SucceededEvaluation } from './types.ts'

export interface EvaluateOptions {
  /** Called for each configuration once, in no particular order. */
  onResult: (result: EvaluationResult) => void
  signal: AbortSignal
}

/** One process's share of the configurations. */
interface Work {
  names: string[]
  readOnly: boolean
}

/**
 * Evaluates each configuration once, several in a process, as many processes at a time as there are slots. Of a
 * configuration at which a process dies only those after it go to another process; it is evaluated again itself,
 * alone, only when it died for want of memory that others had, or must not be read-only.
 */
export async function evaluate(
  context: NixContext,
  flake: FetchedFlake,
  configurations: readonly string[],
  { onResult, signal }: EvaluateOptions,
): Promise<void> {
  signal.throwIfAborted()
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  const written = new Set<string>()
  const waiting = [...new Set(configurations)]
  const alone: Work[] = []
  let readOnly = !flake.source.allowImportFromDerivation

  const report = (result: EvaluationResult): void => {
    try {
      onResult(result)
    } catch (error) {
      failed.abort(error)
    }
  }
  const next = (): Work | undefined => {
    const single = alone.shift()
    if (single !== undefined) return single
    const names = takeChunk(waiting, context.slots.count, (configuration) => report(tooLong(configuration)))
    return names.length === 0 ? undefined : { names, readOnly }
  }
  const finish = (work: Work, { succeeded, death }: ChunkEnd): void => {
    const [configuration, ...rest] = work.names.slice(succeeded)
    if (configuration === undefined) return
    if (death === null) {
      waiting.unshift(configuration, ...rest)
      return
    }
    const canWrite = work.readOnly && needsWriting(death.stderr)
    if (!death.started) {
      if (!canWrite) throw errorOfDeath('evaluating the flake', death, context.timeoutMs)
      readOnly = false
      waiting.unshift(...work.names)
      return
    }
    const machineError = machineErrorOfDeath('evaluating the flake', death)
    if (machineError !== null) throw machineError
    waiting.unshift(...rest)
    const failure = failureOfDeath(death, context.timeoutMs)
    if (canWrite) {
      alone.push({ names: [configuration], readOnly: false })
    } else if (failure.cause === 'out_of_memory' && succeeded > 0) {
      alone.push({ names: [configuration], readOnly: work.readOnly })
    } else {
      const { durationMs, peakMemoryBytes } = death
      report({ configuration, status: 'failed', ...failure, durationMs, peakMemoryBytes })
    }
  }
  const worker = async (): Promise<void> => {
    for (let work = next(); work !== undefined && !stop.aborted; work = next()) {
      const { names, readOnly: isReadOnly } = work
      const end = await context.slots.use(() =>
        runChunk(context, flake, { names, readOnly: isReadOnly, signal: stop }, (result) => {
          if (!isReadOnly) written.add(result.drvPath)
          report(result)
        }),
      )
      if (!stop.aborted) finish(work, end)
    }
  }
  const guarded = (): Promise<void> => worker().catch((error: unknown) => failed.abort(error))
  await Promise.all(Array.from({ length: context.slots.count }, guarded))
  if (written.size > 0) await rememberWritten(context, flake.source, written)
  stop.throwIfAborted()
}

/**
 * Of the memory that a process may have, as heap from the start: the collector runs when that is used up. Small enough
 * that what is resident beside it, and a growth step, still fit.
 */
const INITIAL_HEAP = 0.5

async function runChunk(
  context: NixContext,
  flake: FetchedFlake,
  { names, readOnly, signal }: Work & { signal: AbortSignal },
  onResult: (result: SucceededEvaluation) => void,
): Promise<ChunkEnd> {
  const { programs, memoryBytes, timeoutMs } = context
  try {
    return await evaluateChunk({
      programs,
      environment: {
        ...evaluationEnvironment(context, flake),
        GC_INITIAL_HEAP_SIZE: String(Math.floor(memoryBytes * INITIAL_HEAP)),
      },
      url: flakeUrl(flake.source),
      names,
      nonce: randomBytes(16).toString('hex'),
      memoryBytes,
      timeoutMs,
      readOnly,
      offline: !flake.source.allowImportFromDerivation,
      onResult,
      signal,
    })
  } catch (error) {
    if (signal.aborted) throw error
    throw new NixError('nix_missing', 'evaluating failed', { cause: error })
  }
}

function tooLong(configuration: string): FailedEvaluation {
  return {
    configuration,
    status: 'failed',
    cause: 'other',
    message: 'the name of this configuration is longer than an argument of a program may be',
    durationMs: 0,
    peakMemoryBytes: 0,
  }
}
