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
  const children = await Promise.all((await childrenOf(pid)).map((child) => cpuSeconds(child).catch(() => 0)))
  return children.reduce((sum, seconds) => sum + seconds, own + ended)
}

async function childrenOf(pid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const parents = await Promise.all(pids.map((each) => readTimes(each).catch(() => null)))
  return pids.filter((_, index) => parents[index]?.parent === pid)
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

/** The most memory a process and each of its children ever had resident, bytes (proc_pid_status(5), VmHWM). */
export async function peakResidentBytesWithChildren(pid: number): Promise<number> {
  const peaks = await Promise.all(
    [pid, ...(await childrenOf(pid))].map((each) => readStatusBytes(each, 'VmHWM')),
  )
  return peaks.reduce((sum, bytes) => sum + bytes, 0)
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
