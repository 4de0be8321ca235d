import { isAbsent, type Root } from '../root.ts'
import { cleanText } from './text.ts'

/** The first of `paths` that exists and is not blank. Fails as the first that could not be read, else as the first. */
export async function readFirst(root: Root, paths: readonly string[]): Promise<string> {
  const errors: unknown[] = []
  for (const path of paths) {
    try {
      const text = await root.readText(path)
      if (cleanText(text) !== '') return text
      errors.push(new Error(`${path} is empty`))
    } catch (error) {
      errors.push(error)
    }
  }
  throw errors.find((error) => !isAbsent(error)) ?? errors[0]
}

/** What `read` gives, or what `whenAbsent` gives if the file is not there; any other failure goes on. */
export async function readUnlessAbsent<T>(
  read: () => Promise<T>,
  whenAbsent: () => T | Promise<T>,
): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (isAbsent(error)) return whenAbsent()
    throw error
  }
}

/**
 * Whether a directory has no such entry. An empty directory says nothing: a mount that is missing, or the empty tmpfs
 * that container engines put over /sys/firmware.
 */
export async function lacks(root: Root, directory: string, entry: string): Promise<boolean> {
  const entries = await root.list(directory)
  if (entries.length === 0) throw new Error(`${directory} is empty: not mounted, or hidden from this process`)
  return !entries.includes(entry)
}

/** A file that holds one number from 0 to 2^53-1 in decimal. */
export async function readCount(root: Root, path: string): Promise<number> {
  const text = (await root.readText(path)).trim()
  const count = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) throw new Error(`${path} holds no count`)
  return count
}
