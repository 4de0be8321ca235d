import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { Bench, Figures } from './figures.ts'

/** Imported only when asked for, so that none measures the libraries of another. */
const BENCHES: Record<string, () => Promise<Bench>> = {
  agent: async () => (await import('./agent.ts')).benchAgent,
  dashboard: async () => (await import('./dashboard.ts')).benchDashboard,
  fleet: async () => (await import('./fleet.ts')).benchFleet,
  ingest: async () => (await import('./ingest.ts')).benchIngest,
  storage: async () => (await import('./storage.ts')).benchStorage,
  push: async () => (await import('./push.ts')).benchPush,
  evaluation: async () => (await import('./evaluation.ts')).benchEvaluation,
  visible: async () => (await import('./visible.ts')).benchVisible,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, full: { type: 'boolean', default: false } },
})
const unknown = positionals.filter((name) => !Object.hasOwn(BENCHES, name))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}

const figures: Figures = {}
for (const [name, load] of Object.entries(BENCHES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const bench = await load()
  Object.assign(figures, await bench({ full: values.full, say: (text) => console.error(`${name}: ${text}`) }))
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`)
printTable(figures)

function printTable(measured: Figures): void {
  const rows = Object.entries(measured).map(([name, { value, unit }]) => [name, String(value), unit] as const)
  const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)))
  for (const [name, value, unit] of rows) {
    console.log(`${name.padEnd(widths[0] ?? 0)}  ${value.padStart(widths[1] ?? 0)}  ${unit}`)
  }
}
