import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentLogger } from './log.ts'
import { readReport, type Report } from './report.ts'
import { createSpoolFiles, type SpoolFile } from './spool-files.ts'

/** A report in the spool. Its body is in memory only while it could not be written to disk. */
export interface Spooled extends Omit<Report, 'body'> {
  size: number
  unwritten: Buffer | null
}

export interface SpoolLimits {
  reports: number
  bytes: number
}

/** A day and a half of changes each four minutes; a usual report has 3 to 10 KB. */
export const SPOOL_LIMITS: SpoolLimits = { reports: 512, bytes: 16 * 1024 * 1024 }

/** So many reports that the server refused are kept for whoever looks into it. */
const MAX_SET_ASIDE = 32

export interface Spool {
  /** In the order they are sent. */
  reports: readonly Spooled[]
  /** Adds at the end; false when it is kept in memory only, as it could not be written. */
  append: (report: Report) => Promise<boolean>
  /** The body as it was appended, or null when the file is damaged or gone. */
  read: (report: Spooled) => Promise<Buffer | null>
  remove: (report: SpoolFile) => Promise<void>
  setAside: (report: SpoolFile) => Promise<void>
  replaceAll: (reports: readonly Report[]) => Promise<boolean>
  /** Tries again to write what is in memory only; false when something still is. */
  persist: () => Promise<boolean>
  /** Which report has to go before one of `size` bytes is added: the oldest `state_delta`, else the oldest. */
  victim: (size: number, sending: string | null) => Spooled | null
}

export interface SpoolOptions {
  stateDir: string
  limits: SpoolLimits
  log: AgentLogger
}

/**
 * Opens the spool below `stateDir` and reads what is in it. `damaged` are files that are not what their name says;
 * they are still there, for `setAside`.
 */
export async function openSpool({
  stateDir,
  limits,
  log,
}: SpoolOptions): Promise<{ spool: Spool; damaged: SpoolFile[] }> {
  const files = createSpoolFiles(join(stateDir, 'spool'))
  const asideDirectory = join(stateDir, 'set-aside')
  const reports: Spooled[] = []
  const damaged: SpoolFile[] = []
  /** The files on disk are older numbers of what is in memory. */
  let outdated = false

  const attempt = async (action: string, run: () => Promise<void>): Promise<boolean> => {
    try {
      await run()
      return true
    } catch (error) {
      log.error({ err: error }, `the spool cannot ${action}`)
      return false
    }
  }

  await attempt('be read', async () => {
    for (const file of await files.recover()) {
      const body = await files.read(file)
      const report = body === null ? null : tryRead(body)
      if (report === null) damaged.push(file)
      else reports.push(toSpooled(report, true))
    }
  })

  const persistAll = async (): Promise<void> => {
    if (outdated) {
      // Replaced reports are all in memory until they are written together.
      await files.replaceAll(
        reports.flatMap(({ unwritten, ...file }) => (unwritten === null ? [] : [{ file, body: unwritten }])),
      )
      outdated = false
      for (const report of reports) report.unwritten = null
      return
    }
    for (const report of reports) {
      if (report.unwritten !== null) await files.write(report, report.unwritten)
      report.unwritten = null
    }
  }

  const forget = ({ id }: SpoolFile): void => {
    const index = reports.findIndex((report) => report.id === id)
    if (index >= 0) reports.splice(index, 1)
  }

  const persist = async (): Promise<boolean> => {
    if (!outdated && reports.every((report) => report.unwritten === null)) return true
    return await attempt('be written; reports are kept in memory', persistAll)
  }

  return {
    damaged,
    spool: {
      reports,
      append: async (report) => {
        reports.push(toSpooled(report, false))
        return await persist()
      },
      read: async (report) => report.unwritten ?? (await files.read(report)),
      remove: async (report) => {
        forget(report)
        await attempt('remove a report', () => files.remove(report))
      },
      setAside: async (report) => {
        forget(report)
        await attempt('set a report aside', async () => {
          await files.moveTo(report, asideDirectory)
          await keepNewest(asideDirectory)
        })
      },
      replaceAll: async (next) => {
        reports.splice(0, reports.length, ...next.map((report) => toSpooled(report, false)))
        outdated = true
        return await persist()
      },
      persist,
      victim: (size, sending) => {
        const bytes = reports.reduce((sum, report) => sum + report.size, size)
        if (reports.length < limits.reports && bytes <= limits.bytes) return null
        const candidates = reports.filter((report) => report.id !== sending)
        return candidates.find((report) => report.reason === 'state_delta') ?? candidates[0] ?? null
      },
    },
  }
}

function toSpooled(report: Report, written: boolean): Spooled {
  const { body, ...rest } = report
  return { ...rest, size: body.length, unwritten: written ? null : body }
}

function tryRead(body: Buffer): Report | null {
  try {
    return readReport(body)
  } catch {
    return null
  }
}

async function keepNewest(directory: string): Promise<void> {
  const names = (await readdir(directory)).sort()
  const surplus = names.slice(0, Math.max(0, names.length - MAX_SET_ASIDE))
  await Promise.all(surplus.map((name) => rm(join(directory, name), { force: true })))
}
