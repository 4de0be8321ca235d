import type { Key } from '../../src/lib/config/key.ts'
import { SECTIONS, TABLES, type Section } from '../../src/lib/config/schema.ts'

/** nix/module/keys.nix: what the options of the NixOS module are made from, by section and key. */
export function describeKeysForNix(): string {
  const sections: Readonly<Record<string, Section>> = { ...SECTIONS, ...TABLES }
  const parts = Object.entries(sections).map(
    ([name, { keys }]) => `  ${name} = {\n${Object.entries(keys).map(describeKey).join('')}  };\n`,
  )
  return `${HEADER}{ types }:\n{\n${parts.join('\n')}}\n`
}

const HEADER = `# Generated from src/lib/config by script/generate. Change it there.
# Keys whose values are secret texts are left out: they would be in the store. \`readers\`: who needs the
# content of a file.
`

function describeKey([name, key]: [string, Key<unknown>]): string {
  if (isSecretText(key)) return ''
  const type = nixType(key)
  const lines = [
    `type = ${key.presence === 'optional' ? `types.nullOr ${inParentheses(type)}` : type};`,
    ...defaultLines(key),
    `example = ${nixValue(key.example)};`,
    `description = ${nixValue(key.description)};`,
    ...(key.file === undefined ? [] : [`readers = ${nixValue([...key.file.readers])};`]),
    ...(key.secret ? ['isSecret = true;'] : []),
  ]
  return `    ${name} = {\n${lines.map((line) => `      ${line}\n`).join('')}    };\n`
}

export const isSecretText = (key: Key<unknown>): boolean => key.secret && key.file === undefined

/** None where the machine decides: the module does. */
function defaultLines(key: Key<unknown>): string[] {
  if (key.presence === 'required' || key.defaultText !== undefined) return []
  const value = key.presence === 'optional' ? null : key.defaultValue({ env: {}, uid: 0 })
  return [`default = ${nixValue(value)};`]
}

/** The types that nix/module/types.nix adds to those of nixpkgs are `duration`, `size`, `absolutePath`, `secretFile`. */
function nixType(key: Key<unknown>): string {
  const { type } = key.kind
  const item = /^list of: (.*)$/.exec(type)?.[1]
  const single = singleType(item ?? type, key)
  return item === undefined ? single : `types.listOf ${inParentheses(single)}`
}

function singleType(type: string, { file, secret, example }: Key<unknown>): string {
  if (type === 'path') {
    if (file === undefined) return 'types.absolutePath'
    return secret ? 'types.secretFile' : 'types.path'
  }
  if (type === 'true or false') return 'types.bool'
  if (type.startsWith('one of ')) {
    return `types.enum [ ${type.slice('one of '.length).replaceAll(', ', ' ')} ]`
  }
  const [, minimum, maximum] = /^a whole number from (\d+) to (\d+)$/.exec(type) ?? []
  if (minimum !== undefined) return `types.ints.between ${minimum} ${maximum}`
  if (type.startsWith('a duration ')) return 'types.duration'
  if (type.startsWith('a size ')) return 'types.size'
  // Its form is checked by `crystal-forge check-config` when the system is built.
  if ([example].flat().every((each) => typeof each === 'string')) return 'types.nonEmptyStr'
  throw new Error(`script/generator/nix-keys.ts knows no type of Nix for "${type}": add it there`)
}

const inParentheses = (type: string): string => (type.includes(' ') ? `(${type})` : type)

/** The escapes of JSON's texts are those of Nix, but for the two characters that begin an interpolation. */
function nixValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[ ]' : `[ ${value.map(nixValue).join(' ')} ]`
  return JSON.stringify(value).replaceAll('${', '\\${')
}
