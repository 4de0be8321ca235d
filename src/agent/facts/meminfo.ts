/** Bytes of usable memory: MemTotal of /proc/meminfo, which is in KiB though it says kB (proc_meminfo(5)). */
export function parseMemTotal(text: string): number {
  const kibibytes = /^MemTotal:\s+(\d{1,12}) kB$/m.exec(text)?.[1]
  if (kibibytes === undefined) throw new Error('/proc/meminfo has no MemTotal')
  return Number(kibibytes) * 1024
}
