import { readFile } from 'node:fs/promises'
import type { ClientConfig } from '../lib/config/load.ts'
import { runUntilSignal } from '../lib/lifecycle.ts'
import { VERSION } from '../lib/version.ts'
import { createAgent } from './agent.ts'
import { loadKey } from './key.ts'
import type { AgentLogger } from './log.ts'
import { createNotifier } from '../lib/notify.ts'
import { sendOnce } from './once.ts'
import { printReport } from './print.ts'
import type { SessionOptions } from './session.ts'

export type Mode = 'service' | 'once' | 'print'

export interface RunOptions {
  client: ClientConfig
  env: Readonly<Record<string, string | undefined>>
  log: AgentLogger
  print: (text: string) => void
}

/** `crystal-forge agent`: resolves when the service was stopped by a signal, or the one report was sent or printed. */
export async function runAgent(mode: Mode, { client, env, log, print }: RunOptions): Promise<void> {
  if (mode === 'print') {
    print(await printReport({ rootfs: client.rootfs, agentVersion: VERSION, log }))
    return
  }
  const options = await sessionOptions(client, env, log)
  if (mode === 'once') {
    await sendOnce(options)
    return
  }
  await runUntilSignal(createAgent({ ...options, notifier: createNotifier({ env, log }) }), log)
}

/** What the configuration means; the key is read, and made where there is none yet. */
export async function sessionOptions(
  client: ClientConfig,
  env: RunOptions['env'],
  log: AgentLogger,
): Promise<SessionOptions> {
  const key = await loadKey({
    path: client.private_key,
    stateDir: client.state_dir,
    hasToken: client.enrollment_token !== null,
    credentialsDirectory: env['CREDENTIALS_DIRECTORY'],
    log,
  })
  log.info({ version: VERSION, key_id: key.id, server: client.server_url }, 'agent')
  return {
    serverUrl: new URL(client.server_url),
    ca: client.ca_file === null ? null : await readFile(client.ca_file, 'utf8'),
    key,
    enrollmentToken: client.enrollment_token,
    heartbeatIntervalMs: client.heartbeat_interval,
    stateDir: client.state_dir,
    rootfs: client.rootfs,
    agentVersion: VERSION,
    log,
  }
}
