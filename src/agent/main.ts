import { parseArgs } from 'node:util'
import { loadConfig } from '../lib/config/load.ts'
import { explainError } from '../lib/errors.ts'
import { createLineLogger } from './log.ts'
import { runAgent, type Mode } from './run.ts'

const USAGE = `Usage: crystal-forge-agent [--once | --print]

Reports the state of this machine to a Crystal Forge server, as [client] in the configuration says.

  --once   send one report and exit
  --print  print the report without sending it
`

/** The agent alone, for hosts that have nothing else of Crystal Forge: `crystal-forge agent` without the CLI. */
async function main(args: string[]): Promise<number> {
  let mode: Mode
  try {
    mode = readMode(args)
  } catch (error) {
    process.stderr.write(`crystal-forge-agent: ${explainError(error)}\n\n${USAGE}`)
    return 2
  }
  try {
    const { client } = loadConfig({ env: process.env, cwd: process.cwd(), part: 'agent' })
    await runAgent(mode, { client, env: process.env, log: createLineLogger(), print })
    return 0
  } catch (error) {
    process.stderr.write(`crystal-forge-agent: ${explainError(error)}\n`)
    return 1
  }
}

function print(text: string): void {
  process.stdout.write(text)
}

function readMode(args: string[]): Mode {
  const { values } = parseArgs({
    args,
    options: { once: { type: 'boolean' }, print: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help === true) {
    process.stdout.write(USAGE)
    process.exit(0)
  }
  if (values.once === true && values.print === true) throw new Error('--once and --print exclude each other')
  if (values.once === true) return 'once'
  return values.print === true ? 'print' : 'service'
}

process.exitCode = await main(process.argv.slice(2))
