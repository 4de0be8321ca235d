import type { Logger } from './log.ts'

export interface Part {
  start: () => Promise<void>
  stop: () => Promise<void>
}

export interface Lifecycle {
  /** Registers what undoes a step that has just succeeded. */
  add: (name: string, stop: () => void | Promise<void>) => void
  /** Undoes the steps in reverse order, once; rejects afterwards with an AggregateError when some failed. */
  stop: () => Promise<void>
}

/** Each stop function gets `timeoutMs`; one that fails or takes longer does not keep the others from running. */
export function createLifecycle({ timeoutMs = 10_000 }: { timeoutMs?: number } = {}): Lifecycle {
  const steps: { name: string; stop: () => void | Promise<void> }[] = []
  let stopping: Promise<void> | undefined
  const stopAll = async (): Promise<void> => {
    const failures: Error[] = []
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      try {
        await withTimeout(step.stop, timeoutMs)
      } catch (error) {
        failures.push(new Error(`stopping ${step.name} failed`, { cause: error }))
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, failures.map((each) => each.message).join('; '))
  }
  return {
    add: (name, stop) => {
      steps.push({ name, stop })
    },
    stop: () => (stopping ??= stopAll()),
  }
}

/** A part whose `start` registers each of its steps; when it fails, those that had succeeded are undone. */
export function createPart(lifecycle: Lifecycle, start: () => Promise<void>): Part {
  return {
    start: async () => {
      try {
        await start()
      } catch (error) {
        await lifecycle.stop()
        throw error
      }
    },
    stop: () => lifecycle.stop(),
  }
}

async function withTimeout(action: () => void | Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    await Promise.race([action(), expired])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Starts the part, waits for SIGTERM or SIGINT, or until `told` resolves, and stops it. A signal while it starts stops it as
 * soon as it has started; a second signal exits at once with status 1. Rejects when starting or stopping fails.
 */
export async function runUntilSignal(
  part: Part,
  log: Pick<Logger, 'info' | 'warn'>,
  told?: Promise<void>,
): Promise<void> {
  const firstSignal = Promise.withResolvers<void>()
  void told?.then(firstSignal.resolve)
  let signals = 0
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1
    if (signals > 1) {
      log.warn({ signal }, 'second signal: exiting at once')
      process.exit(1)
    }
    log.info({ signal }, 'stopping')
    firstSignal.resolve()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  // Without a referenced handle Node would exit while a part with nothing open waits for its signal.
  const keepAlive = setInterval(() => {}, 2 ** 30)
  try {
    await part.start()
    await firstSignal.promise
    await part.stop()
    log.info('stopped')
  } finally {
    clearInterval(keepAlive)
    process.off('SIGTERM', onSignal)
    process.off('SIGINT', onSignal)
  }
}
