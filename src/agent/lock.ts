import { once } from 'node:events'
import { unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { errorCode } from '../lib/errors.ts'
import type { Logger } from '../lib/log.ts'

/**
 * Keeps a second agent (`agent --once` beside the service) out of the state directory: two of them would fork the
 * chain of reports. The lock is a listening socket, which the kernel closes however its process ends. Resolves with
 * what releases it; rejects when another process has it. Where no socket can be made the agent runs without.
 */
export async function lockStateDirectory(stateDir: string, log: Logger): Promise<() => Promise<void>> {
  const path = join(stateDir, 'agent.lock')
  try {
    const server = (await tryListen(path)) ?? (await takeOver(path))
    return async () => {
      server.close()
      await once(server, 'close')
    }
  } catch (error) {
    if (error instanceof LockedError) throw error
    log.warn({ err: error }, `no lock on ${stateDir}: take care that no other agent uses it`)
    return async () => {}
  }
}

class LockedError extends Error {}

async function takeOver(path: string): Promise<Server> {
  if (await isAlive(path)) throw new LockedError(`another agent is running: it holds ${path}`)
  await unlink(path)
  const server = await tryListen(path)
  if (server === null) throw new LockedError(`another agent has just started: it holds ${path}`)
  return server
}

/** Null when there is a socket at `path` already. */
async function tryListen(path: string): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy())
  try {
    server.listen(path)
    await once(server, 'listening')
    return server
  } catch (error) {
    if (errorCode(error) === 'EADDRINUSE') return null
    throw error
  }
}

async function isAlive(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    if (errorCode(error) === 'ECONNREFUSED') return false
    throw error
  } finally {
    socket.destroy()
  }
}
