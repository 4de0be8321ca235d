import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../lib/errors.ts'
import { prepareFile } from '../lib/files.ts'
import type { AgentLogger } from './log.ts'

/**
 * Keeps a second agent (`agent --once` beside the service) out of the state directory: two of them would fork the chain
 * of reports. The lock is a file that names its process; that of a process that is gone is taken over. Resolves with what
 * releases it; rejects when another process has it. Where no file can be written the agent runs without.
 */
export async function lockStateDirectory(stateDir: string, log: AgentLogger): Promise<() => Promise<void>> {
  const path = join(stateDir, 'agent.lock')
  try {
    const own = await describeProcess(process.pid)
    if (!(await tryCreate(path, own))) await takeOver(path, own)
    return () => rm(path, { force: true })
  } catch (error) {
    if (error instanceof LockedError) throw error
    log.warn({ err: error }, `no lock on ${stateDir}: take care that no other agent uses it`)
    return async () => {}
  }
}

class LockedError extends Error {}

async function takeOver(path: string, own: string): Promise<void> {
  const holder = await readFile(path, 'utf8')
  const pid = Number(holder.split(' ')[0])
  if (Number.isSafeInteger(pid) && (await isRunning(pid, holder))) {
    throw new LockedError(`another agent is running: process ${pid} holds ${path}`)
  }
  await rm(path, { force: true })
  if (!(await tryCreate(path, own))) throw new LockedError(`another agent has just started: it holds ${path}`)
}

async function tryCreate(path: string, content: string): Promise<boolean> {
  const file = await prepareFile(path, content, { mode: 0o600 })
  try {
    await file.publish({ replace: false })
    return true
  } catch (error) {
    await file.discard()
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

async function isRunning(pid: number, description: string): Promise<boolean> {
  try {
    return (await describeProcess(pid)) === description
  } catch {
    return false
  }
}

/** The process id, when the process was started, and in which boot: no other process has all three. */
async function describeProcess(pid: number): Promise<string> {
  const [stat, boot] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
  ])
  // The second field is the command in parentheses and may hold spaces; starttime is the 22nd (proc_pid_stat(5)).
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return `${pid} ${startTime} ${boot.trim()}\n`
}
