// Prints the figures that the tests of faults have left as a table, and writes them to a document where one is named.
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { parseEnv } from 'node:util'
import { Type } from 'typebox'
import { Value } from 'typebox/value'

const Figures = Type.Object({
  name: Type.String(),
  rounds: Type.Number(),
  acknowledged: Type.Number(),
  lost: Type.Number(),
  duplicates: Type.Number(),
  recoveryMs: Type.Array(Type.Number()),
})
type Figures = Type.Static<typeof Figures>

const [figuresFile = '', document] = process.argv.slice(2)
const table = toTable(readFigures(figuresFile))
process.stdout.write(`\n${table}`)
if (document !== undefined) writeFileSync(document, toDocument(table))

function readFigures(file: string): Figures[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => Value.Parse(Figures, JSON.parse(line)))
}

function toTable(figures: Figures[]): string {
  const rows = [
    [
      'fault',
      'rounds',
      'reports acknowledged',
      'lost',
      'stored twice',
      'recovery: shortest',
      'median',
      'longest',
    ],
    ['---', '--:', '--:', '--:', '--:', '--:', '--:', '--:'],
    ...figures.map((each) => [
      each.name,
      String(each.rounds),
      String(each.acknowledged),
      String(each.lost),
      String(each.duplicates),
      ...spread(each.recoveryMs),
    ]),
  ]
  return rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function spread(times: number[]): string[] {
  const sorted = times.toSorted((a, b) => a - b)
  const middle = sorted[Math.floor(sorted.length / 2)]
  return [sorted[0], middle, sorted.at(-1)].map((ms) =>
    ms === undefined ? '–' : `${(ms / 1000).toFixed(1)} s`,
  )
}

function toDocument(rows: string): string {
  return `# Soak

What \`npm run soak\` has shown: processes are killed, the network and the disk fail, and afterwards each report that the
server had acknowledged is in the database once, with its bytes and a signature that verifies again, in chains that are
whole. \`test/faults/\` says how. A recovery lasts from the fault, or from its end where it lasts a while, until every
agent has had an answer again and has sent what it made meanwhile; an agent whose server is away waits longer from try to
try, and after \`503\` the 5 seconds that it asks for.

${new Date().toISOString().slice(0, 10)}, ${machine()}, Node.js ${process.versions.node}.

${rows}`
}

function machine(): string {
  const { PRETTY_NAME: system = 'unknown system' } = parseEnv(readFileSync('/etc/os-release', 'utf8'))
  return `${cpus().length} vCPU, ${Math.ceil(totalmem() / 2 ** 30)} GiB, ${system}`
}
