import { keyId, parsePublicKey } from '../../protocol/keys.ts'
import { invalidAt } from '../../protocol/problems.ts'

/** Public keys of a request body, checked to be points a key can have. Throws Problem invalid. */
export function readKeys(texts: readonly string[]): { id: string; publicKey: Buffer }[] {
  return texts.map((text, index) => readKey(text, `/body/public_keys/${index}`))
}

export function readKey(text: string, path: string): { id: string; publicKey: Buffer } {
  try {
    const publicKey = parsePublicKey(text)
    return { id: keyId(publicKey), publicKey }
  } catch (error) {
    const message = error instanceof Error ? error.message : 'it is not a public key'
    throw invalidAt(path, `cannot be used: ${message}`, error)
  }
}
