import { createAgent } from '../src/agent/agent.ts'
import { createNotifier } from '../src/lib/notify.ts'
import { sessionOptions } from '../src/agent/run.ts'
import { loadConfig } from '../src/lib/config/load.ts'
import { runUntilSignal } from '../src/lib/lifecycle.ts'
import { createLineLogger } from '../src/agent/log.ts'

// The agent as it is shipped, with a heartbeat interval shorter than any configuration allows.
const { env } = process
const { client } = loadConfig({ env, cwd: process.cwd(), part: 'agent' })
const log = createLineLogger()
const options = await sessionOptions(client, env, log)
const heartbeatIntervalMs = Number(env['BENCH_INTERVAL_MS'])
await runUntilSignal(
  createAgent({ ...options, heartbeatIntervalMs, notifier: createNotifier({ env, log }) }),
  log,
)
