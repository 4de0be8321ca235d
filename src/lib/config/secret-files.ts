import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { errorCode } from '../errors.ts'
import { Secret } from '../secret.ts'

/** Larger than any key or token; a wrong path must not fill the memory. */
const MAX_BYTES = 64 * 1024

/** The content without the newline at its end. Throws an Error that names the file and never quotes its content. */
export function readSecretFile(path: string): Secret {
  const content = readBounded(path)
    .toString('utf8')
    .replace(/[\r\n]+$/, '')
  if (content === '') throw new Error(`the secret file ${path} is empty`)
  return new Secret(content)
}

/** Throws an Error that names the file when this process may not read it. */
export function checkReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK)
  } catch (error) {
    throw new Error(`cannot read the file ${path} (${errorCode(error)})`, { cause: error })
  }
}

/** Whether every user of the machine can read this file: its mode, and that of each directory on the way, let others through. */
export function isOpenToAll(path: string): boolean {
  const found = statSync(path)
  // a pipe has no place of its own
  if (!found.isFile()) return false
  return (found.mode & constants.S_IROTH) !== 0 && isReachedByAll(dirname(realpathSync(path)))
}

function isReachedByAll(directory: string): boolean {
  if ((statSync(directory).mode & constants.S_IXOTH) === 0) return false
  return dirname(directory) === directory || isReachedByAll(dirname(directory))
}

function readBounded(path: string): Buffer {
  try {
    const file = openSync(path, 'r')
    try {
      if (fstatSync(file).isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' })
      const buffer = Buffer.alloc(MAX_BYTES + 1)
      const length = readAll(file, buffer)
      if (length > MAX_BYTES)
        throw Object.assign(new Error('is too large'), { code: `more than ${MAX_BYTES} bytes` })
      return buffer.subarray(0, length)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw new Error(`cannot read the secret file ${path} (${errorCode(error)})`, { cause: error })
  }
}

/** A pipe gives its content in parts. */
function readAll(file: number, buffer: Buffer): number {
  let length = 0
  for (;;) {
    const read = readSync(file, buffer, length, buffer.length - length, null)
    length += read
    if (read === 0 || length === buffer.length) return length
  }
}
