import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { onTestFinished } from 'vitest'
import type { ConnectionOptions } from '../../../src/store/database.ts'

/** The way to a database that anybody on this machine can go: its socket is in a directory that is closed to others. */
export async function overTcp(direct: ConnectionOptions): Promise<{ host: string; port: number }> {
  const server = createServer((socket) => {
    const target = connect(
      direct.host.startsWith('/')
        ? { path: `${direct.host}/.s.PGSQL.${direct.port}` }
        : { host: direct.host, port: direct.port },
    )
    socket.pipe(target).pipe(socket)
    for (const each of [socket, target]) each.on('error', () => each.destroy())
    socket.on('close', () => target.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the socket has no port')
  return { host: '127.0.0.1', port: address.port }
}
