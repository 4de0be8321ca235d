import { readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Administrator } from './administrator.ts'

/** What another command needs to drive a running demo. */
export interface DemoPlace {
  directory: string
  url: string
  token: string
  webhookSecret: string
  administrator: Administrator
}

/** One demo at a time has a place of its own; root's must be reachable for the user PostgreSQL runs as. */
export function demoDirectory(): string {
  if (process.getuid?.() === 0) return '/var/lib/crystal-forge-demo'
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'crystal-forge-demo')
}

const fileIn = (directory: string): string => join(directory, 'demo.json')

export async function writePlace(place: DemoPlace): Promise<void> {
  await writeFile(fileIn(place.directory), `${JSON.stringify(place)}\n`, { mode: 0o600 })
}

/** Throws an Error when no demo runs on this machine. */
export async function findRunningDemo(): Promise<DemoPlace> {
  const directory = demoDirectory()
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by writePlace
    return JSON.parse(await readFile(fileIn(directory), 'utf8')) as DemoPlace
  } catch (cause) {
    throw new Error(`no demo runs in ${directory}; start one with script/demo`, { cause })
  }
}
