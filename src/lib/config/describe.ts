import type { DefaultContext, Key } from './key.ts'
import { SECTIONS, TABLES, variableName, type Section } from './schema.ts'

/** No machine: defaults that depend on one have a text instead. */
const NOWHERE: DefaultContext = { env: {}, uid: 0 }

/** docs/configuration.md, from the schema. */
export function describeConfiguration(): string {
  const sections: Readonly<Record<string, Section>> = SECTIONS
  const tables: Readonly<Record<string, Section>> = TABLES
  return [
    INTRODUCTION,
    ...Object.entries(sections).map(([name, section]) => describeSection(name, section)),
    ...Object.entries(tables).map(([name, table]) => describeTable(name, table)),
    `## Every key, with a value\n\n\`\`\`toml\n${exampleFile()}\`\`\`\n`,
  ].join('\n')
}

function describeSection(name: string, { description, keys }: Section): string {
  const rows = Object.entries(keys).map(([key, about]) => [
    ...columns(key, about),
    `\`${variableName(name, key)}\``,
  ])
  return [
    `## [${name}]\n\n${description}\n`,
    ...tableLines(['key', 'type', 'default', 'description', 'environment variable'], rows),
    '',
  ].join('\n')
}

function describeTable(name: string, { description, keys }: Section): string {
  const rows = Object.entries(keys).map(([key, about]) => columns(key, about))
  return [
    `## [[${name}]]\n\n${description} Environment variable: \`${variableName(name)}\`, a JSON array of objects.\n`,
    ...tableLines(['key', 'type', 'default', 'description'], rows),
    '',
  ].join('\n')
}

function columns(name: string, key: Key<unknown>): string[] {
  return [`\`${name}\``, key.kind.type, describeDefault(key), key.description]
}

function describeDefault(key: Key<unknown>): string {
  if (key.presence === 'required') return 'required'
  if (key.presence === 'optional') return '–'
  return key.defaultText ?? `\`${toToml(key.defaultValue(NOWHERE))}\``
}

function tableLines(headers: string[], rows: string[][]): string[] {
  return [tableLine(headers), tableLine(headers.map(() => '---')), ...rows.map(tableLine)]
}

function tableLine(cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** A file that sets every key but those that exclude one of the others. */
export function exampleFile(): string {
  return [
    ...Object.entries(SECTIONS).map(([name, section]) => examplePart(`[${name}]`, section)),
    ...Object.entries(TABLES).map(([name, table]) => examplePart(`[[${name}]]`, table)),
  ].join('\n')
}

function examplePart(heading: string, { keys }: Section): string {
  const lines = Object.entries(keys).map(([name, { example }]) => {
    return `${EXCLUDED.has(name) ? '# ' : ''}${name} = ${toToml(example)}`
  })
  return `${heading}\n${lines.join('\n')}\n`
}

/** Each has another key that does the same. */
const EXCLUDED = new Set(['password', 'server_host', 'server_port', 'public_key'])

/** JSON's texts, numbers, booleans and lists are TOML's too. */
const toToml = (value: unknown): string => JSON.stringify(value)

const INTRODUCTION = `# Configuration

<!-- Generated from src/lib/config by script/generate. Change it there. -->

Read from the file that \`CONFIG_PATH\` names, else \`./config.toml\`, else \`/etc/crystal-forge/config.toml\`, else from no
file. Environment variables \`CRYSTAL_FORGE__SECTION__KEY\` override the file: texts, numbers and \`true\` or \`false\` as they
are, lists with commas or as JSON arrays, arrays of tables as JSON arrays of objects.

- An unknown key or section, in the file or the environment, is an error that names the nearest known key. So is a value
  of the wrong type. \`crystal-forge check-config\` lists everything that is wrong, or prints what is in effect.
- A key without default (–) is not set; \`""\` is the same as not setting it.
- Durations are a whole number and \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`; sizes a whole number and \`B\`, \`KiB\`, \`MiB\`, \`GiB\`, \`TiB\`,
  \`kB\`, \`MB\`, \`GB\` or \`TB\`.
- Paths start with \`/\`, or with \`./\` or \`../\` from the directory of the file (from the working directory in environment
  variables).
- Secrets are read from files when a process starts, by the process that needs them: the agent does not need those of the
  server to be readable. A newline at the end is left out. They never show in logs, errors or help.
  One that every user of the machine can read is used, and is warned of: by \`check-config\`, and in the log of each start. The
  agent refuses a private key that others can read.
`
