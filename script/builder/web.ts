import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { build } from 'vite'

/** Builds the dashboard into dist/web, with every file compressed beside it: the server only picks one. */
export async function buildWeb(root: string): Promise<string> {
  await build({ configFile: join(root, 'web/vite.config.ts'), logLevel: 'warn' })
  const directory = join(root, 'dist/web')
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  await Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) => compress(join(entry.parentPath, entry.name))),
  )
  return directory
}

async function compress(file: string): Promise<void> {
  const content = await readFile(file)
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }
  await writeFile(`${file}.br`, await promisify(brotliCompress)(content, quality))
  await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }))
}
