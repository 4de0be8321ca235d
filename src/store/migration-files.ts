import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One file `<timestamp>_<name>.sql`; its name in the database is the file's without `.sql`. */
export interface Migration {
  name: string
  file: string
  text: string
}

const FILE_NAME = /^(\d{14})_[a-z0-9_]+\.sql$/

/** The dump of the migrated schema lies beside the migrations. */
const SCHEMA_DUMP = 'schema.sql'

/** `migrations/` of the package: beside `dist/` for the bundle, beside `src/` for a checkout. */
export function defaultMigrationsDirectory(): string {
  const candidates = ['../migrations', '../../migrations'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  )
  const found = candidates.find((directory) => existsSync(directory))
  if (found === undefined) throw new Error(`no migrations found: neither ${candidates.join(' nor ')} exists`)
  return found
}

/** The migrations of a directory in order. Throws when a file is named otherwise, or two carry the same timestamp. */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const files = (await readdir(directory))
    .filter((file) => file !== SCHEMA_DUMP && !file.startsWith('.'))
    .sort()
  const taken = new Map<string, string>()
  for (const file of files) {
    const timestamp = FILE_NAME.exec(file)?.[1]
    if (timestamp === undefined) {
      throw new Error(`${join(directory, file)} is not named like a migration (20261123000000_name.sql)`)
    }
    const other = taken.get(timestamp)
    if (other !== undefined) throw new Error(`the migrations ${other} and ${file} carry the same timestamp`)
    taken.set(timestamp, file)
  }
  return Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -'.sql'.length),
      file: join(directory, file),
      text: await readFile(join(directory, file), 'utf8'),
    })),
  )
}
