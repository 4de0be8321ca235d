import { watch } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { waitFor } from '../../support/wait.ts'
import type { Random } from './random.ts'
import type { RecordingProxy } from './recording-proxy.ts'
import { WAIT_MS } from './rounds.ts'

/** Resolves some milliseconds after one of the next `requests` has arrived: some of them are under way. */
export async function momentOfRequest(
  proxy: RecordingProxy,
  random: Random,
  { requests }: { requests: number },
): Promise<void> {
  await proxy.requestsArrived(random.integer(1, requests))
  await delay(random.next() * 15)
}

/** Resolves while, or just after, something is written below the directory. */
export async function momentOfWriting(directory: string, random: Random): Promise<void> {
  const enough = random.integer(1, 20)
  let events = 0
  const watcher = watch(directory, { recursive: true }, () => {
    events += 1
  })
  try {
    await waitFor(() => events >= enough, { timeoutMs: WAIT_MS, what: `something written in ${directory}` })
  } finally {
    watcher.close()
  }
  await delay(random.next() * 5)
}
