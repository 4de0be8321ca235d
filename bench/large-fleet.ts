import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAdminToken } from '../src/cli/demo/admin-token.ts'
import { startChild } from '../src/cli/demo/child.ts'
import { freePort } from '../src/cli/demo/free-port.ts'
import { until } from '../src/cli/demo/wait.ts'
import { loadConfig } from '../src/lib/config/load.ts'
import { createLogger } from '../src/lib/log.ts'
import { createConfiguredDatabase } from '../src/store/configured-database.ts'
import { withClient } from '../src/store/database.ts'
import { migrate } from '../src/store/migrate.ts'
import { fillFleet } from './fleet-rows.ts'

const SYSTEMS = 100_000

/**
 * Runs `work` against a server that watches 100,000 systems, on the embedded PostgreSQL with its default durability; an
 * admin's token comes with its address.
 */
export async function withLargeFleet<T>(
  say: (text: string) => void,
  work: (server: { url: string; token: string }) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'crystal-forge-bench-'))
  // when this is root, PostgreSQL runs as another user, who has to pass
  await chmod(directory, 0o711)
  const port = await freePort()
  const configPath = join(directory, 'server.toml')
  await writeFile(
    configPath,
    `[server]\nhost = "127.0.0.1"\nport = ${port}\nevaluate = false\nstate_dir = ${JSON.stringify(directory)}\n`,
  )
  const log = createLogger({ level: 'warn' })
  const config = loadConfig({ env: { CONFIG_PATH: configPath }, cwd: '/', part: 'server' })
  const configured = createConfiguredDatabase(config, log)
  try {
    const connection = await configured.start()
    await migrate(connection, { log })
    say(`making ${SYSTEMS} systems`)
    await withClient(connection, 'bench', (client) => fillFleet(client, SYSTEMS))
    const server = startChild({
      program: join(import.meta.dirname, '../src/cli/main.ts'),
      args: ['server'],
      configPath,
      logFile: join(directory, 'server.log'),
    })
    try {
      const url = `http://127.0.0.1:${port}`
      await Promise.race([server.failure, until('the server answers', () => isReady(url), 30_000)])
      return await work({ url, token: await createAdminToken(configPath) })
    } finally {
      await server.stop()
    }
  } finally {
    await configured.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

async function isReady(url: string): Promise<true | null> {
  const response = await fetch(`${url}/health/ready`)
  await response.body?.cancel()
  return response.ok ? true : null
}
