import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProcess } from '../../src/lib/process.ts'

const STAND_IN = join(import.meta.dirname, '../../test/nixos/stand-in')

/** An option of the NixOS module. */
export interface Option {
  /** Below `services.crystal-forge`; `*` stands for the row of a list. */
  path: string[]
  description: string | null
  hasType: boolean
  type: string
  hasDefault: boolean
  /** As Nix writes it, or JSON; null where there is none. */
  default: string | null
  example: string | null
}

/** Every option of the NixOS module, by real Nix. `lib` is the path of nixpkgs' lib, or of what stands in for it. */
export async function readModuleOptions(lib = join(STAND_IN, 'lib.nix')): Promise<Option[]> {
  const home = await mkdtemp(join(tmpdir(), 'crystal-forge-options-'))
  try {
    const value: unknown = await evaluateNix(`import ${STAND_IN}/options.nix { lib = import ${lib}; }`, home)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- options.nix says what it is
    return value as Option[]
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/** The value of an expression, as JSON has it. What it writes into the store is below `home`. */
export async function evaluateNix(
  expression: string,
  home: string,
  path = process.env['PATH'],
): Promise<unknown> {
  const args = ['--extra-experimental-features', 'nix-command', 'eval', '--impure', '--json', '--store', home]
  const { code, stdout, stderr } = await runProcess('nix', [...args, '--expr', expression], {
    env: { PATH: path, HOME: home, NO_COLOR: '1' },
    timeoutMs: 30_000,
    maxOutputBytes: 2 ** 24,
  })
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

/** docs/nixos-options.md. */
export async function describeModuleOptions(): Promise<string> {
  const options = await readModuleOptions()
  return [INTRODUCTION, ...options.map(describe)].join('\n')
}

const INTRODUCTION = `# Options of the NixOS module

<!-- Generated from nix/module by script/generate. Change it there. -->

All below \`services.crystal-forge\`. [nixos.md](nixos.md) tells how to use them. \`*\` stands for each member of the list.
\`database.passwordFile\` is another name of \`database.password_file\`.
`

function describe(option: Option): string {
  const { path, description, type } = option
  const lines = [
    `- type: ${type.replaceAll('*', '\\*')}`,
    ...(option.default === null ? ['- has to be given'] : [`- default: \`${option.default}\``]),
    ...(option.example === null ? [] : [`- example: \`${option.example}\``]),
  ]
  return `## ${path.join('.').replaceAll('*', '\\*')}\n\n${description}\n\n${lines.join('\n')}\n`
}
