import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from 'pg'
import { withClient } from '../../src/store/database.ts'
import { layoutOf } from '../../src/store/embedded-postgres/layout.ts'
import { type Generator, startGenerator } from './generator.ts'
import { withPostgres } from './postgres.ts'

/** Where a load goes to: an embedded PostgreSQL with its default durability, and who generates the load. */
export interface Site {
  directory: string
  client: Client
  generator: Generator
  /** Its main process. */
  postmaster: number
}

/** Runs `work` with all of it, which is gone afterwards. */
export async function withSite<T>(work: (site: Site) => Promise<T>): Promise<T> {
  return await withPostgres(async ({ directory, connection }) => {
    const pidFile = await readFile(join(layoutOf(directory).data, 'postmaster.pid'), 'utf8')
    const postmaster = Number(pidFile.split('\n')[0])
    const generator = startGenerator()
    try {
      return await withClient(connection, 'bench', (client) =>
        work({ directory, client, generator, postmaster }),
      )
    } finally {
      generator.stop()
    }
  })
}
