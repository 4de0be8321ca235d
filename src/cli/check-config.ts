import { Command, Option } from 'commander'
import { parseFlakeUrl } from '../fleet/flake-url.ts'
import { effectiveTables, formatEffective } from '../lib/config/effective.ts'
import { inspectConfig, type ConfigPart, type Inspection } from '../lib/config/inspect.ts'
import { TABLES } from '../lib/config/schema.ts'
import { OPEN_SECRET } from './open-secrets.ts'
import { escapeControls, printJson } from './output.ts'

const PARTS: readonly ConfigPart[] = ['all', 'server', 'evaluator', 'agent', 'database', 'none']

export function createCheckConfigCommand(): Command {
  return new Command('check-config')
    .description(
      'Checks the configuration (CONFIG_PATH, else ./config.toml, else /etc/crystal-forge/config.toml, and the ' +
        'environment) and prints what is in effect, with secrets masked and defaults as comments.',
    )
    .addOption(
      new Option(
        '--part <part>',
        'whose secret files are read and whose needs are checked; none where the files do not exist, as at build time',
      )
        .choices(PARTS)
        .default('all'),
    )
    .option('--json', 'print JSON', false)
    .action(({ part, json }: { part: ConfigPart; json: boolean }) => {
      const inspection = inspectConfig({
        env: process.env,
        cwd: process.cwd(),
        part,
        checkFlakeUrl: parseFlakeUrl,
      })
      for (const file of inspection.openSecrets)
        process.stderr.write(`warning: ${escapeControls(file)}: ${OPEN_SECRET}\n`)
      if (json) printJson(toJson(inspection))
      else process.stdout.write(formatEffective(inspection).replace(/[^\n]+/g, escapeControls))
    })
}

/** Sections and arrays of tables under their names, and where each value that is no default was given. */
function toJson(inspection: Inspection): Record<string, unknown> {
  const document: Record<string, unknown> = { file: inspection.file }
  const lists = new Map<string, unknown[]>(Object.keys(TABLES).map((name) => [name, []]))
  const sources: Record<string, string> = {}
  for (const { name, keys } of effectiveTables(inspection)) {
    const list = lists.get(name)
    const path = list === undefined ? name : `${name}[${list.length}]`
    const values = Object.fromEntries(keys.map((key) => [key.name, key.value]))
    for (const key of keys) if (key.source !== null) sources[`${path}.${key.name}`] = key.source
    if (list === undefined) document[name] = values
    else list.push(values)
  }
  return { ...document, ...Object.fromEntries(lists), sources }
}
