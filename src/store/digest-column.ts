/** Ids and digests are `sha256:<hex>` everywhere but in the database, where their 32 bytes take half the room. */
export function toBytes(digest: string): Buffer {
  return Buffer.from(digest.slice('sha256:'.length), 'hex')
}

export function toDigest(bytes: Buffer): string {
  return 'sha256:' + bytes.toString('hex')
}

export const toBytesOrNull = (digest: string | null) => (digest === null ? null : toBytes(digest))
export const toDigestOrNull = (bytes: Buffer | null) => (bytes === null ? null : toDigest(bytes))
