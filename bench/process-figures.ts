import { readdir, readFile } from 'node:fs/promises'

/** Clock ticks a second of /proc/PID/stat: 100 on every architecture Node runs on (USER_HZ, time(7)). */
const TICKS_PER_SECOND = 100

/** Resident memory of a process, bytes (proc_pid_status(5), VmRSS). */
export async function residentBytes(pid: number): Promise<number> {
  return readStatusBytes(pid, 'VmRSS')
}

/** Processor time a process has used in user and kernel mode, seconds (proc_pid_stat(5), utime and stime). */
export async function cpuSeconds(pid: number): Promise<number> {
  const { own } = await readTimes(pid)
  return own
}

/** The same of a process, its children, and those of its children that have ended: of a postmaster, all of PostgreSQL. */
export async function cpuSecondsWithChildren(pid: number): Promise<number> {
  const { own, ended } = await readTimes(pid)
  let sum = own + ended
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const times = await readTimes(Number(name)).catch(() => null)
    if (times?.parent === pid) sum += times.own
  }
  return sum
}

async function readTimes(pid: number): Promise<{ parent: number; own: number; ended: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The second field is the command in parentheses and may hold spaces; ppid is the 4th, utime the 14th.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const seconds = (index: number) => (fields[index] ?? 0) / TICKS_PER_SECOND
  return { parent: fields[1] ?? 0, own: seconds(11) + seconds(12), ended: seconds(13) + seconds(14) }
}

/** The most memory a process ever had resident, bytes (proc_pid_status(5), VmHWM). */
export async function peakResidentBytes(pid: number): Promise<number> {
  return readStatusBytes(pid, 'VmHWM')
}

async function readStatusBytes(pid: number, name: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
  if (kilobytes === undefined) throw new Error(`process ${pid} has no ${name}`)
  return Number(kilobytes) * 1024
}

/** Processor time of the children of this process that have ended, with theirs (cutime and cstime), seconds. */
export async function endedChildrenCpuSeconds(): Promise<number> {
  const { ended } = await readTimes(process.pid)
  return ended
}
