import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { errorCode } from '../lib/errors.ts'

/** More evaluators on one state directory than anybody runs. */
const MOST = 64

export interface OwnDirectory {
  path: string
  release: () => Promise<void>
}

/**
 * A directory of this process alone below `parent`: `evaluator`, and `evaluator-2` and so on for further processes. The
 * claim is an abstract socket (unix(7)), which is gone with its process however that ends. It holds within one network
 * namespace: containers need a state directory each.
 */
export async function claimDirectory(parent: string): Promise<OwnDirectory> {
  for (let number = 1; number <= MOST; number += 1) {
    const path = join(parent, number === 1 ? 'evaluator' : `evaluator-${number}`)
    const claim = await tryClaim(path)
    if (claim === null) continue
    await mkdir(path, { recursive: true, mode: 0o700 })
    return { path, release: () => new Promise((resolve) => claim.close(() => resolve())) }
  }
  throw new Error(`${MOST} evaluators use ${parent} already`)
}

function tryClaim(path: string): Promise<Server | null> {
  const name = createHash('sha256').update(path).digest('hex').slice(0, 32)
  const server = createServer((socket) => socket.destroy())
  server.unref()
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (errorCode(error) === 'EADDRINUSE') resolve(null)
      else reject(error)
    })
    server.listen(`\0crystal-forge-evaluator-${name}`, () => resolve(server))
  })
}
