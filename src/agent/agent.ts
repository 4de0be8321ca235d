import type { Part } from '../lib/lifecycle.ts'
import type { ServiceNotifier } from '../lib/notify.ts'
import { openSession, type Session, type SessionOptions } from './session.ts'
import { createWatch, type Watch } from './watch.ts'

export interface AgentOptions extends SessionOptions {
  notifier: ServiceNotifier
}

/** The service: reports this machine's state until it is stopped. Good for one start. */
export function createAgent(options: AgentOptions): Part {
  const { log, notifier, random = Math.random } = options
  let session: Session | undefined
  let watch: Watch | undefined
  let beat: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  /** Ten per cent to either side, so that a fleet that started at once does not stay in step. */
  const scheduleBeat = (opened: Session): void => {
    clearTimeout(beat)
    if (session === opened)
      beat = setTimeout(() => void onBeat(opened), opened.intervalMs() * (0.9 + 0.2 * random()))
  }

  const onBeat = async (opened: Session): Promise<void> => {
    await opened.reporter.look('beat')
    scheduleBeat(opened)
  }

  const run = async (opened: Session): Promise<void> => {
    const { root, reporter, sender } = opened
    watch = createWatch({ root, log, onChange: () => void reporter.look('change') })
    // Before the first look, so that nothing changes unseen between the two.
    await watch.start()
    await reporter.look('beat')
    scheduleBeat(opened)
    running = sender.run()
    await notifier.ready()
  }

  const stop = async (): Promise<void> => {
    const opened = session
    if (opened === undefined) return
    session = undefined
    clearTimeout(beat)
    watch?.stop()
    const told = notifier.stopping()
    opened.abort()
    await running
    await opened.reporter.idle()
    await opened.close()
    await told
  }

  return {
    start: async () => {
      const opened = await openSession(options, () => scheduleBeat(opened))
      session = opened
      try {
        await run(opened)
      } catch (error) {
        await stop()
        throw error
      }
    },
    stop,
  }
}
