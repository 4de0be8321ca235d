export interface RootMount {
  /** `major:minor`; major 0 where a file system has no single block device of its own (btrfs, tmpfs, ZFS). */
  device: string
  type: string
  source: string
}

/**
 * What is mounted on / according to /proc/self/mountinfo (proc_pid_mountinfo(5)). The last such line lies on top: the
 * initramfs may be below it.
 */
export function parseRootMount(text: string): RootMount {
  for (const line of text.split('\n').toReversed()) {
    const fields = line.split(' ')
    const separator = fields.indexOf('-', 6)
    const [device, mountPoint] = [fields[2], fields[4]]
    const [type, source] = [fields[separator + 1], fields[separator + 2]]
    if (mountPoint !== '/' || separator < 0) continue
    if (device !== undefined && type !== undefined && source !== undefined) {
      return { device, type, source: unescape(source) }
    }
  }
  throw new Error('/proc/self/mountinfo has no mount on /')
}

/** Blank, tab, newline and backslash are written in octal. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
