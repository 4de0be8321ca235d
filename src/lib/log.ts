import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'
import { describeError } from './errors.ts'

export type Logger = PinoLogger

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/**
 * JSON lines on stderr. Process id and host name are left out: the journal adds its own, which a program cannot forge.
 * Written synchronously, so that the last line before a crash is not lost.
 */
export function createLogger(options: { level?: LogLevel; destination?: DestinationStream } = {}): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  )
}
