import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { errorCode } from '../errors.ts'
import { ConfigError } from './problems.ts'

export const SYSTEM_FILE = '/etc/crystal-forge/config.toml'

export type Environment = Readonly<Record<string, string | undefined>>

/** Where a value was given. */
export interface Source {
  /** The file or the environment variable. */
  name: string
  /** What its relative paths start from. */
  directory: string
}

export interface ConfigFile {
  source: Source
  content: Readonly<Record<string, unknown>>
}

/**
 * The file that `CONFIG_PATH` names, else `config.toml` in `cwd`, else the system's, else null. One that is named but
 * not there, that cannot be read or that is not TOML is a ConfigError.
 */
export function readConfigFile(env: Environment, cwd: string, systemFile: string): ConfigFile | null {
  const named = env['CONFIG_PATH'] ?? ''
  if (named !== '')
    return readFile(resolve(cwd, named)) ?? fail(named, 'CONFIG_PATH names it, but there is no such file')
  return readFile(resolve(cwd, 'config.toml')) ?? readFile(systemFile)
}

function readFile(path: string): ConfigFile | null {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    return fail(
      path,
      code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'is not UTF-8' : `cannot be read (${code})`,
    )
  }
  return { source: { name: path, directory: dirname(path) }, content: parseToml(path, text) }
}

function parseToml(path: string, text: string): Record<string, unknown> {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // Its message goes on with the lines around the place, and one of them can be the password.
    const [reason = ''] = error.message.replace('Invalid TOML document: ', '').split('\n')
    return fail(path, `line ${error.line}, column ${error.column}: is not valid TOML: ${reason}`)
  }
}

function fail(source: string, message: string): never {
  throw new ConfigError([{ source, path: '', message }])
}
