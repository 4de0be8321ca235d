import { explainError } from './errors.ts'
import type { Part } from './lifecycle.ts'
import type { Logger } from './log.ts'
import type { ProcessOptions, ProcessResult } from './process.ts'

/** Tells systemd how the service is (sd_notify(3)); without `NOTIFY_SOCKET` nothing is done. */
export interface ServiceNotifier {
  /** Ready; from now on the watchdog is fed. */
  ready: () => Promise<void>
  stopping: () => Promise<void>
}

type Run = (
  command: string,
  args: readonly string[],
  options: ProcessOptions,
) => Promise<Pick<ProcessResult, 'ended' | 'code' | 'stderr'>>

export interface NotifierOptions {
  env: Readonly<Record<string, string | undefined>>
  log: Pick<Logger, 'warn'>
  run?: Run
}

/**
 * Node has no datagram sockets of the local kind, so this starts `systemd-notify`, which says whose child it is; the
 * unit needs `NotifyAccess=all`.
 */
export function createNotifier({ env, log, run = runLoaded }: NotifierOptions): ServiceNotifier {
  const socket = env['NOTIFY_SOCKET']
  let watchdog: NodeJS.Timeout | undefined

  const notify = async (message: string): Promise<void> => {
    if (socket === undefined || socket === '') return
    try {
      const { ended, code, stderr } = await run('systemd-notify', [message], {
        env: { PATH: env['PATH'], NOTIFY_SOCKET: socket },
        // READY=1 that is lost on a busy machine costs a restart
        timeoutMs: 15_000,
        maxOutputBytes: 4096,
      })
      if (code !== 0) log.warn(`systemd-notify ${message}: ${ended}, status ${code}: ${stderr.trim()}`)
    } catch (error) {
      log.warn(`systemd is not told ${message}: ${explainError(error)}`)
    }
  }

  return {
    ready: async () => {
      await notify('READY=1')
      const intervalMs = watchdogMs(env) / 2
      if (intervalMs > 0) watchdog = setInterval(() => void notify('WATCHDOG=1'), intervalMs)
    },
    stopping: async () => {
      clearInterval(watchdog)
      await notify('STOPPING=1')
    },
  }
}

/** The part, whose start and stop systemd is told of. */
export function withNotifier(part: Part, notifier: ServiceNotifier): Part {
  return {
    start: async () => {
      await part.start()
      await notifier.ready()
    },
    stop: async () => {
      await notifier.stopping()
      await part.stop()
    },
  }
}

/** Loaded when it is needed: child processes cost 1.5 MB, which an agent without systemd does not have to pay. */
const runLoaded: Run = async (...args) => {
  const { runProcess } = await import('./process.ts')
  return await runProcess(...args)
}

/** sd_watchdog_enabled(3); 0 when systemd does not watch this process. */
function watchdogMs(env: NotifierOptions['env']): number {
  const pid = env['WATCHDOG_PID']
  if (pid !== undefined && pid !== '' && Number(pid) !== process.pid) return 0
  const microseconds = Number(env['WATCHDOG_USEC'] ?? 0)
  return Number.isFinite(microseconds) && microseconds > 0 ? microseconds / 1000 : 0
}
