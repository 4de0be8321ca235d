import { chown, mkdir, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { runProcess } from '../../../src/lib/process.ts'
import type { ConfiguredPostgres } from './configured-postgres.ts'
import { WAIT_MS } from './rounds.ts'

/** Runs a program of PostgreSQL (`pg_dump`) as its user, with the connection to it in its environment. */
export async function runProgram(
  { binaries, user, connection }: ConfiguredPostgres,
  name: string,
  args: readonly string[],
): Promise<string> {
  // a link to postgres alone may be in PATH
  const directory = dirname(await realpath(join(binaries, 'postgres')))
  const { code, stdout, stderr } = await runProcess(join(directory, name), args, {
    env: {
      PATH: process.env['PATH'],
      LC_ALL: 'C',
      PGHOST: connection.host,
      PGPORT: String(connection.port),
      PGUSER: connection.user,
      PGDATABASE: connection.name,
      PGPASSWORD: connection.password?.reveal(),
    },
    cwd: '/',
    timeoutMs: WAIT_MS,
    maxOutputBytes: 1_000_000,
    ...(user !== null && { uid: user.uid, gid: user.gid }),
  })
  if (code !== 0) throw new Error(`${name} failed: ${stderr.trim() || stdout.trim()}`)
  return stdout
}

/** An empty directory that is PostgreSQL's alone. */
export async function makeDataDirectory({ user }: ConfiguredPostgres, path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 })
  if (user !== null) await chown(path, user.uid, user.gid)
}
