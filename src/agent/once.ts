import { openSession, type SessionOptions } from './session.ts'

/** Sends one report, after those that wait in the spool. Rejects when the server did not take all of them. */
export async function sendOnce(options: SessionOptions): Promise<void> {
  const session = await openSession(options, () => {})
  try {
    const { reporter, outbox, sender } = session
    await reporter.report('startup')
    while (!outbox.isEmpty()) {
      const sent = await sender.step()
      if (sent === null || (!sent.done && sent.waitMs > 0)) {
        throw new Error('the report was not accepted and stays in the spool; the log says why')
      }
    }
    if (outbox.state.dropped > 0) throw new Error('the server refused the report; the log says why')
  } finally {
    session.abort()
    await session.close()
  }
}
