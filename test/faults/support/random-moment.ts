import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from './random.ts'
import type { RecordingProxy } from './recording-proxy.ts'

/** Resolves while requests are under way: some milliseconds after one of the next of them has arrived. */
export async function randomMoment(proxy: RecordingProxy, random: Random): Promise<void> {
  await proxy.requestsArrived(random.integer(1, 60))
  await delay(random.next() * 15)
}
