/** Type oids of src/include/catalog/pg_type.dat. */
const JSONB = 3802
const JSONB_VERSION = Buffer.from([1])
const HEAD_BYTES = 20
const NULL_LENGTH = -1

/**
 * `jsonb[]` in PostgreSQL's binary form (array_send): `pg` sends a Buffer as it is, so that no quote of long documents has
 * to be escaped and read again. An element is JSON text, or null.
 */
export function jsonbArray(documents: readonly (string | null)[]): Buffer {
  const parts: Buffer[] = [head(JSONB, documents.length)]
  for (const document of documents) {
    if (document === null) {
      parts.push(int32(NULL_LENGTH))
      continue
    }
    const text = Buffer.from(document)
    parts.push(int32(text.length + JSONB_VERSION.length), JSONB_VERSION, text)
  }
  return Buffer.concat(parts)
}

/** Of one dimension from 1 on, with nulls. */
function head(elementType: number, length: number): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES)
  for (const [index, value] of [1, 1, elementType, length, 1].entries()) bytes.writeInt32BE(value, index * 4)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
