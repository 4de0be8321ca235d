import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConfigPart } from '../../src/lib/config/inspect.ts'
import { loadConfig, type Config } from '../../src/lib/config/load.ts'
import { ConfigError } from '../../src/lib/config/problems.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export interface Given {
  /** Content of `config.toml` in a new working directory; no file if not given. */
  toml?: string
  env?: Record<string, string>
  part?: ConfigPart
  uid?: number
  cwd?: string
}

/** The configuration of a process that has nothing but what is given: no system file, no other variables. */
export async function configOf({ toml, env = {}, part = 'server', uid = 1000, cwd }: Given): Promise<Config> {
  const directory = cwd ?? (await temporaryDirectory())
  if (toml !== undefined) await writeFile(join(directory, 'config.toml'), toml)
  return loadConfig({
    env: { HOME: '/home/user', ...env },
    cwd: directory,
    part,
    uid,
    systemFile: join(directory, 'etc', 'config.toml'),
  })
}

/** What is wrong, one `path: message` a problem; empty when nothing is. */
export async function problemsOf(given: Given): Promise<string[]> {
  return (await errorOf(given))?.problems.map(({ path, message }) => `${path}: ${message}`) ?? []
}

export async function errorOf(given: Given): Promise<ConfigError | undefined> {
  try {
    await configOf(given)
    return undefined
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}
