import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectionOptions } from '../../src/store/database.ts'

export interface DatabaseProxy {
  /** The way to the database that leads through here. */
  through: (direct: ConnectionOptions) => ConnectionOptions
  /** Breaks every connection and takes no new ones: the database is away. */
  cut: () => Promise<void>
  restore: () => Promise<void>
  stop: () => Promise<void>
}

/** A socket between a server and its PostgreSQL that can be cut. */
export async function createDatabaseProxy(): Promise<DatabaseProxy> {
  const directory = await mkdtemp(join(tmpdir(), 'crystal-forge-proxy-'))
  const sockets = new Set<Socket>()
  let target: ConnectionOptions | undefined
  let server: Server | undefined

  const pass = (socket: Socket): void => {
    if (target === undefined) throw new Error('the proxy does not know where the database is')
    const database = connect(
      target.host.startsWith('/')
        ? { path: `${target.host}/.s.PGSQL.${target.port}` }
        : { host: target.host, port: target.port },
    )
    for (const [each, other] of [
      [socket, database],
      [database, socket],
    ] as const) {
      sockets.add(each)
      each.pipe(other)
      each.on('error', () => each.destroy())
      each.on('close', () => {
        sockets.delete(each)
        other.destroy()
      })
    }
  }
  const listen = async (port: number): Promise<void> => {
    const listening = createServer(pass)
    server = listening
    await new Promise<void>((resolve) => listening.listen(join(directory, `.s.PGSQL.${port}`), resolve))
  }
  const cut = async (): Promise<void> => {
    const closing = server
    server = undefined
    if (closing === undefined) return
    const closed = new Promise<void>((resolve) => closing.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  await listen(5432)
  return {
    through: (direct) => {
      target = direct
      return { ...direct, host: directory, port: 5432, ssl: 'disable' }
    },
    cut,
    restore: () => listen(5432),
    stop: async () => {
      await cut()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
