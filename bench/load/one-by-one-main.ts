import { systemClock } from '../../src/lib/clock.ts'
import { loadConfig } from '../../src/lib/config/load.ts'
import { runUntilSignal } from '../../src/lib/lifecycle.ts'
import { createLogger } from '../../src/lib/log.ts'
import { createServer } from '../../src/server/server.ts'

/** A server that writes one heartbeat a statement, over as many connections as it has: what batches are held against. */
const config = loadConfig({ env: process.env, cwd: process.cwd(), part: 'server' })
const log = createLogger()
const batches = { maxRows: 1, connections: config.max_connections }
await runUntilSignal(createServer({ config, log, clock: systemClock, batches }), log)
