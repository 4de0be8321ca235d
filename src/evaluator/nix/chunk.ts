import { startProcess } from '../../lib/process-group.ts'
import { createTail } from '../../lib/process-output.ts'
import type { Environment } from './environment.ts'
import { EVALUATE } from './expressions.ts'
import { splitLines } from './lines.ts'
import { nixCommand, processMemory } from './memory.ts'
import { keptLine } from './nix-message.ts'
import type { Programs } from './programs.ts'
import { createSaidReader, NO_FACTS, type Facts, type Paths, type Said } from './said.ts'
import type { SucceededEvaluation } from './types.ts'

/** Of what one configuration writes, traces and warnings included. NixOS writes some kilobytes. */
const MAX_OUTPUT_BYTES = 16 * 2 ** 20
/** The facts of a configuration with hundreds of specialisations. */
const MAX_LINE_BYTES = 2 ** 20
const KEPT_STDERR_BYTES = 64 * 2 ** 10
/** Nix needs some 60 ms to evaluate nothing; when it has ended nothing tells what it had. */
const SAMPLE_MS = 25

export interface ChunkOptions {
  programs: Programs
  environment: Environment
  url: string
  /** Configurations, evaluated in this order. */
  names: readonly string[]
  /** Nobody but this process may know it: what it says is told from what the flake prints by it. */
  nonce: string
  /** What the process may have resident. */
  memoryBytes: number
  /** For each configuration. */
  timeoutMs: number
  readOnly: boolean
  offline: boolean
  onResult: (result: SucceededEvaluation) => void
  signal: AbortSignal
}

export interface ChunkEnd {
  /** How many of the names, from the first on, have their result. */
  succeeded: number
  /** Why it ended at the next one; null when there is none, or when it was only the memory's turn. */
  death: Death | null
}

export interface Death {
  /** False when it ended before it came to a configuration. */
  started: boolean
  /** What we ended it for; `exit` when it ended by itself. */
  ended: 'exit' | 'timeout' | 'output-limit' | 'not-a-derivation' | 'abort'
  signal: NodeJS.Signals | null
  /** The end of what it wrote about the configuration. */
  stderr: string
  /** Whether `builtins.tryEval` caught the error. */
  thrown: boolean
  durationMs: number
  peakMemoryBytes: number
}

/**
 * One process of Nix evaluates the configurations one after the other, and ends at the first that fails. It is also
 * ended between two of them when the next would probably need more than its memory.
 */
export async function evaluateChunk(options: ChunkOptions): Promise<ChunkEnd> {
  const { names, memoryBytes, onResult } = options
  options.signal.throwIfAborted()
  const nix = startProcess<Exclude<Death['ended'], 'exit'> | 'full'>(
    options.programs.setpriv,
    chunkArguments(options),
    {
      env: options.environment,
    },
  )
  const tail = createTail(KEPT_STDERR_BYTES)
  const readSaid = createSaidReader(options.nonce)
  const begin = performance.now()
  const progress: Progress = { succeeded: 0, current: null, outputBytes: 0, peakMemoryBytes: 0 }
  let hasStarted = false

  const timer = setTimeout(() => nix.stop('timeout'), options.timeoutMs)
  const measure = (): number => {
    const memory = nix.pid === undefined ? null : processMemory(nix.pid)
    progress.peakMemoryBytes = Math.max(progress.peakMemoryBytes, memory?.peakBytes ?? 0)
    return memory?.residentBytes ?? 0
  }
  const sampler = setInterval(measure, SAMPLE_MS)
  const onAbort = (): void => nix.stop('abort')
  options.signal.addEventListener('abort', onAbort, { once: true })

  const succeed = (startedAt: number, paths: Paths, facts: Facts): void => {
    const residentBytes = measure()
    const configuration = names[progress.succeeded] ?? ''
    const { peakMemoryBytes } = progress
    progress.current = null
    progress.succeeded += 1
    const durationMs = performance.now() - startedAt
    onResult({ configuration, status: 'succeeded', ...paths, ...facts, durationMs, peakMemoryBytes })
    const isLast = progress.succeeded === names.length
    if (!isLast && residentBytes * (1 + 1 / progress.succeeded) > memoryBytes) nix.stop('full')
  }
  const onSaid = (said: Said): void => {
    measure()
    if (said.word === 'start') {
      hasStarted = true
      progress.current = { startedAt: performance.now(), thrown: false, paths: null }
      progress.outputBytes = 0
      tail.clear()
      timer.refresh()
    } else if (progress.current !== null && said.word === 'thrown') {
      progress.current.thrown = true
    } else if (progress.current !== null && said.word === 'toplevel') {
      progress.current.paths = said.paths
      if (said.paths === null) nix.stop('not-a-derivation')
    } else if (progress.current?.paths && said.word === 'facts') {
      succeed(progress.current.startedAt, progress.current.paths, said.facts)
    }
  }
  const lines = splitLines(MAX_LINE_BYTES, (line) => {
    const said = readSaid(line)
    if (said?.index === progress.succeeded) onSaid(said)
    else tail.add(Buffer.from(`${keptLine(line)}\n`))
  })
  nix.stderr.on('data', (chunk: Buffer) => {
    progress.outputBytes += chunk.length
    if (progress.outputBytes > MAX_OUTPUT_BYTES) nix.stop('output-limit')
    lines.add(chunk)
  })
  nix.stderr.once('end', lines.end)
  // Only the value of the expression, which is null.
  nix.stdout.resume()

  try {
    const { ended, code, signal } = await nix.end
    const { current, peakMemoryBytes } = progress
    if (ended === 'full' || (ended === 'exit' && code === 0 && progress.succeeded === names.length)) {
      return { succeeded: progress.succeeded, death: null }
    }
    if (current?.paths && ended !== 'abort') {
      // It failed at what a configuration may lack.
      succeed(current.startedAt, current.paths, NO_FACTS)
      return { succeeded: progress.succeeded, death: null }
    }
    const durationMs = performance.now() - (current?.startedAt ?? begin)
    const thrown = current?.thrown ?? false
    const stderr = tail.text()
    return {
      succeeded: progress.succeeded,
      death: { started: hasStarted, ended, signal, stderr, thrown, durationMs, peakMemoryBytes },
    }
  } finally {
    clearTimeout(timer)
    clearInterval(sampler)
    options.signal.removeEventListener('abort', onAbort)
  }
}

interface Progress {
  succeeded: number
  current: { startedAt: number; thrown: boolean; paths: Paths | null } | null
  /** Since the current configuration began. */
  outputBytes: number
  peakMemoryBytes: number
}

function chunkArguments({
  programs,
  url,
  names,
  nonce,
  memoryBytes,
  readOnly,
  offline,
}: ChunkOptions): string[] {
  return [
    ...nixCommand(programs, memoryBytes),
    'eval',
    '--json',
    '--log-format',
    'raw',
    ...(readOnly ? ['--read-only'] : []),
    ...(offline ? ['--offline'] : []),
    '--expr',
    EVALUATE,
    'result',
    '--argstr',
    'url',
    url,
    '--argstr',
    'names',
    JSON.stringify(names),
    '--argstr',
    'nonce',
    nonce,
  ]
}
