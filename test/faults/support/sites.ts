import { onTestFinished } from 'vitest'
import type { ConnectionOptions } from '../../../src/store/database.ts'
import { createTestDatabase } from '../../support/database.ts'
import { startPostgresPair } from './postgres-pair.ts'
import { isSoak } from './rounds.ts'

/** What a fleet reports to. */
export interface Site {
  /** For the name of a test and its figures. */
  suffix: string
  start: () => Promise<{ database: ConnectionOptions; servers: number; balanced: boolean }>
}

const oneServer: Site = {
  suffix: '',
  start: async () => {
    const { connection, drop } = await createTestDatabase()
    onTestFinished(drop)
    return { database: connection, servers: 1, balanced: false }
  },
}

const twoServers: Site = {
  suffix: ', two servers and a standby',
  start: async () => {
    const { connection } = await startPostgresPair()
    return { database: connection, servers: 2, balanced: true }
  },
}

/** Where a fault of hosts and network is shown; `npm run soak` repeats it with all that may be beside one server. */
export const SITES = isSoak ? [oneServer, twoServers] : [oneServer]
