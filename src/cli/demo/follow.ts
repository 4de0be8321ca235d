import { setTimeout as delay } from 'node:timers/promises'
import type { DemoApi } from './api.ts'

/** Says when a system runs something else than before, or stands otherwise to what it should run, until aborted. */
export async function followChanges(
  api: DemoApi,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const seen = new Map<string, string>()
  const sayWhenNew = (what: string, value: string, line: string): void => {
    if (seen.has(what) && seen.get(what) !== value) say(`${new Date().toISOString()}  ${line}`)
    seen.set(what, value)
  }
  while (!signal.aborted) {
    const { systems } = await api.listSystems({})
    for (const { hostname, current_system: current, drift } of systems) {
      sayWhenNew(`${hostname} runs`, `${current}`, `${hostname} runs ${current}`)
      sayWhenNew(hostname, `${drift?.state}`, `${hostname} is ${drift?.state}`)
    }
    await delay(250, undefined, { signal }).catch(() => {})
  }
}
