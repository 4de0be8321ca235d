import { readFile } from 'node:fs/promises'

/** Clock ticks a second of /proc/PID/stat: 100 on every architecture Node runs on (USER_HZ, time(7)). */
const TICKS_PER_SECOND = 100

/** Resident memory of a process, bytes (proc_pid_status(5), VmRSS). */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kilobytes === undefined) throw new Error(`process ${pid} has no VmRSS`)
  return Number(kilobytes) * 1024
}

/** Processor time a process has used in user and kernel mode, seconds (proc_pid_stat(5), utime and stime). */
export async function cpuSeconds(pid: number): Promise<number> {
  const fields = await statFields(pid)
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** The same of the children of this process that have ended, with theirs (cutime and cstime). */
export async function endedChildrenCpuSeconds(): Promise<number> {
  const fields = await statFields(process.pid)
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND
}

async function statFields(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The second field is the command in parentheses and may hold spaces; utime is the 14th.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}
