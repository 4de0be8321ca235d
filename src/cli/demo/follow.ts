import { setTimeout as delay } from 'node:timers/promises'
import type { DemoApi } from './api.ts'

/** Says when a system runs something else than before, until aborted. */
export async function followChanges(
  api: DemoApi,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const seen = new Map<string, string | null>()
  while (!signal.aborted) {
    const { systems } = await api.listSystems({})
    for (const { hostname, current_system: current } of systems) {
      if (seen.has(hostname) && seen.get(hostname) !== current)
        say(`${new Date().toISOString()}  ${hostname} runs ${current}`)
      seen.set(hostname, current)
    }
    await delay(250, undefined, { signal }).catch(() => {})
  }
}
