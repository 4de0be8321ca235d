import type { ApiSystem } from '../api.ts'
import type { DemoApi } from './api.ts'
import { type DemoHost, switchDemoHost } from './host.ts'
import { until } from './wait.ts'

/** What `nixos-rebuild switch --flake` would do: the host then runs what the newest good commit says. */
export async function deployDemoHost(api: DemoApi, host: DemoHost): Promise<string> {
  const path = await until(`there is a system for ${host.name}`, async () => {
    const { drift } = await api.getSystem(host.name)
    return drift?.desired_path ?? null
  })
  return switchDemoHost(host, path)
}

/** Resolves with the system once it is in this state. */
export async function untilInState(api: DemoApi, hostname: string, state: string): Promise<ApiSystem> {
  return until(`${hostname} is ${state}`, async () => {
    const system = await api.getSystem(hostname)
    return system.drift?.state === state ? system : null
  })
}
