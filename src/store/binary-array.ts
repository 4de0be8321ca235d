/**
 * Arrays in PostgreSQL's binary form (array_send in src/backend/utils/adt/arrayfuncs.c): `pg` sends a Buffer as it is, so
 * that nothing has to be written as text, escaped and read again. Their types are those of the statement's casts.
 */
export interface ElementType<T> {
  /** Of src/include/catalog/pg_type.dat. */
  oid: number
  /** Bytes of an element. */
  sizeOf: (value: T) => number
  /** Writes an element at `offset`, in the form of the type's receive function. */
  write: (into: Buffer, value: T, offset: number) => void
}

/** From 32 bits on, numbers that a double holds exactly. */
const HIGH_WORD = 2 ** 32
const EPOCH_MS = Date.UTC(2000, 0, 1)

const boolean: ElementType<boolean> = {
  oid: 16,
  sizeOf: () => 1,
  write: (into, value, offset) => into.writeUInt8(value ? 1 : 0, offset),
}
const bigint: ElementType<number> = {
  oid: 20,
  sizeOf: () => 8,
  write: (into, value, offset) => {
    into.writeInt32BE(Math.floor(value / HIGH_WORD), offset)
    into.writeUInt32BE(value >>> 0, offset + 4)
  },
}
const smallint: ElementType<number> = {
  oid: 21,
  sizeOf: () => 2,
  write: (into, value, offset) => into.writeInt16BE(value, offset),
}
const integer: ElementType<number> = {
  oid: 23,
  sizeOf: () => 4,
  write: (into, value, offset) => into.writeInt32BE(value, offset),
}
const float8: ElementType<number> = {
  oid: 701,
  sizeOf: () => 8,
  write: (into, value, offset) => into.writeDoubleBE(value, offset),
}
const text: ElementType<string> = {
  oid: 25,
  sizeOf: (value) => Buffer.byteLength(value),
  write: (into, value, offset) => into.write(value, offset),
}
/** In the form 01234567-89ab-cdef-0123-456789abcdef. */
const uuid: ElementType<string> = {
  oid: 2950,
  sizeOf: () => 16,
  write: (into, value, offset) => into.write(value.replaceAll('-', ''), offset, 'hex'),
}
/** Microseconds since 2000. */
const timestamptz: ElementType<Date> = {
  oid: 1184,
  sizeOf: () => 8,
  // beyond the year 2255 these are more than a double holds
  write: (into, value, offset) => into.writeBigInt64BE(BigInt(value.getTime() - EPOCH_MS) * 1000n, offset),
}
/** `bytea`, of a digest `sha256:<hex>`. */
const digest: ElementType<string> = {
  oid: 17,
  sizeOf: () => 32,
  write: (into, value, offset) => into.write(value.slice('sha256:'.length), offset, 'hex'),
}
/** JSON text; the first byte is the version of the form (jsonb_recv). */
const jsonb: ElementType<string> = {
  oid: 3802,
  sizeOf: (value) => 1 + Buffer.byteLength(value),
  write: (into, value, offset) => {
    into.writeUInt8(1, offset)
    into.write(value, offset + 1)
  },
}

export const ELEMENT = { boolean, bigint, smallint, integer, float8, text, uuid, timestamptz, digest, jsonb }

const HEAD_BYTES = 20
const LENGTH_BYTES = 4
const NULL_LENGTH = -1

/** An array of one dimension, from 1 on; numbers are whole, but those of `float8`, and of no more than 53 bits. */
export function binaryArray<T>(type: ElementType<T>, values: readonly (T | null)[]): Buffer {
  const sizes = values.map((value) => (value === null ? NULL_LENGTH : type.sizeOf(value)))
  const length = sizes.reduce((sum, size) => sum + LENGTH_BYTES + Math.max(0, size), HEAD_BYTES)
  const bytes = Buffer.allocUnsafe(length)
  let offset = 0
  const writeInt = (value: number): void => {
    offset = bytes.writeInt32BE(value, offset)
  }
  const hasNulls = sizes.includes(NULL_LENGTH)
  for (const value of [1, hasNulls ? 1 : 0, type.oid, values.length, 1]) writeInt(value)
  for (const [index, value] of values.entries()) {
    const size = sizes[index] ?? NULL_LENGTH
    writeInt(size)
    if (value === null) continue
    type.write(bytes, value, offset)
    offset += size
  }
  return bytes
}
