import { createHmac } from 'node:crypto'

const KEY = 'crystal-forge/machine-id/1'

/**
 * HMAC-SHA-256 in hex of the text of /etc/machine-id: machine-id(5) asks not to hand out the id itself. An image that
 * was never booted has an empty file or `uninitialized`, the same on every host made from it.
 */
export function machineIdDigest(text: string): string {
  const id = text.trim()
  if (id === '' || id === 'uninitialized') throw new Error('/etc/machine-id is not initialised')
  return createHmac('sha256', KEY).update(id).digest('hex')
}
