import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { evaluateNix, type Option, readModuleOptions } from '../../../script/generator/nixos-options.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { NIX_PATH } from '../../support/test-nix.ts'

export const ROOT = join(import.meta.dirname, '../../..')
const STAND_IN = join(import.meta.dirname, '../stand-in')

/** Of nixpkgs, or what stands in for it. */
const LIB = process.env['CRYSTAL_FORGE_TEST_NIXPKGS_LIB'] ?? join(STAND_IN, 'lib.nix')

export interface Service {
  description: string
  wantedBy: string[]
  wants: string[]
  after: string[]
  path: string[]
  environment: Record<string, string>
  unitConfig: Record<string, unknown>
  serviceConfig: Record<string, unknown>
  stopIfChanged: boolean
}

export interface Evaluated {
  /** Messages of the assertions that do not hold. */
  failed: string[]
  /** Scripts that run when the system is built. */
  checks: string[]
  services: Record<string, Service>
  tmpfiles: string[]
  users: Record<string, { isSystemUser: boolean; group: string }>
  ports: number[]
  postgresql: Record<string, unknown>
  etc: Record<string, { source: string }>
  /** A text that the configuration writes into the store. */
  read: (path: string) => Promise<string>
}

/** What a configuration of NixOS comes to: `services.crystal-forge`, or the whole when it says so. */
export async function evaluateConfiguration(text: string): Promise<Evaluated> {
  const store = await temporaryDirectory()
  const value: unknown = await evaluateNix(evaluation(text), store, NIX_PATH)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- evaluate.nix says what it is
  return { ...(value as Evaluated), read: (path) => readFile(join(store, path), 'utf8') }
}

/** The messages of the assertions that fail, for each configuration. */
export async function failedAssertions(texts: readonly string[]): Promise<string[][]> {
  const store = await mkdtemp(join(tmpdir(), 'crystal-forge-test-'))
  try {
    const list = texts.map((text) => `(${evaluation(text)}).failed`).join('\n')
    const value: unknown = await evaluateNix(`[ ${list} ]`, store, NIX_PATH)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- evaluate.nix says what it is
    return value as string[][]
  } finally {
    await rm(store, { recursive: true, force: true })
  }
}

function evaluation(text: string): string {
  const configuration = text.includes('services.') ? text : `{ services.crystal-forge = ${text}; }`
  return `import ${STAND_IN}/evaluate.nix { lib = import ${LIB}; configuration = ${configuration}; }`
}

/** Every option below `services.crystal-forge`. */
export const moduleOptions = (): Promise<Option[]> => readModuleOptions(LIB)

/** A configuration of test/nixos/configurations. */
export const exampleConfiguration = (name: string): Promise<string> =>
  readFile(join(import.meta.dirname, '../configurations', `${name}.nix`), 'utf8')
