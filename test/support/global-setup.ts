import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { createLogger } from '../../src/lib/log.ts'
import { createEmbeddedPostgres } from '../../src/store/embedded-postgres/embedded-postgres.ts'
import { migrate } from '../../src/store/migrate.ts'

/** What a test needs to connect: the database named here is migrated, and a template to clone. */
export interface TestPostgres {
  host: string
  port: number
  user: string
  password: string
  name: string
}

declare module 'vitest' {
  interface ProvidedContext {
    /** A socket that answers with a TestPostgres in JSON; PostgreSQL starts when the first test asks. */
    testPostgresSocket: string
  }
}

/** Tests throw their databases away: nothing has to reach the disk. */
const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  shared_buffers: '64MB',
}

/** Offers one PostgreSQL to the run, and removes it at the end. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp('/tmp/crystal-forge-test-')
  // for the user that PostgreSQL runs as when we are root
  await chmod(directory, 0o755)
  const log = createLogger({ level: 'warn' })
  const postgres = createEmbeddedPostgres({
    stateDir: directory,
    log,
    settings: SETTINGS,
    // TEST_POSTGRES=npm: the newest version, from the npm package, instead of the installed one
    ...(process.env['TEST_POSTGRES'] === 'npm' ? { binaryDirectories: [] } : {}),
  })

  const begin = async (): Promise<TestPostgres> => {
    const connection = await postgres.start()
    await migrate(connection, { log })
    const { host, port, user, name } = connection
    return { host, port, user, name, password: connection.password?.reveal() ?? '' }
  }
  let started: Promise<TestPostgres> | undefined

  const server = createServer((socket) => {
    started ??= begin()
    started.then(
      (answer) => socket.end(JSON.stringify(answer)),
      (error: unknown) => socket.end(JSON.stringify({ error: String(error) })),
    )
    socket.on('error', () => {
      // the test has ended without reading the answer
    })
  })
  const socketPath = join(directory, 'ask')
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  project.provide('testPostgresSocket', socketPath)

  return async () => {
    server.close()
    await started?.catch(() => {})
    await postgres.stop()
    await rm(directory, { recursive: true, force: true })
  }
}
