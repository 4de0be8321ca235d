import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from './random.ts'
import type { RecordingProxy } from './recording-proxy.ts'

/** Resolves while something is under way: some milliseconds after one of the next `requests` has arrived. */
export async function randomMoment(
  proxy: RecordingProxy,
  random: Random,
  { requests }: { requests: number },
): Promise<void> {
  await proxy.requestsArrived(random.integer(1, requests))
  await delay(random.next() * 15)
}
