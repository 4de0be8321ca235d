import { readFileSync } from 'node:fs'
import type { Programs } from './programs.ts'

/**
 * Address space that is never resident: Nix maps its libraries, a 64 MiB stack and the collector's reserves (330 MiB
 * beside a heap of 1.7 GiB, Nix 2.8).
 */
const ADDRESS_SPACE_ALLOWANCE = 512 * 2 ** 20

/**
 * Arguments of setpriv(1), which becomes the program after them. The kernel kills that when this process dies, however
 * (prctl(2), PR_SET_PDEATHSIG): what works on other people's code must not run on.
 */
const TIED = ['--pdeathsig', 'KILL', '--']

/** Arguments of setpriv(1) with which it becomes Nix; the kernel also enforces what that may have resident, if anything. */
export function nixCommand({ nix, prlimit }: Programs, memoryBytes: number | null): string[] {
  if (memoryBytes === null) return [...TIED, nix]
  return [...TIED, prlimit, `--as=${memoryBytes + ADDRESS_SPACE_ALLOWANCE}`, '--core=0', '--', nix]
}

export interface ProcessMemory {
  residentBytes: number
  /** The most it had resident so far. */
  peakBytes: number
}

/** Of a running process (proc_pid_status(5): VmRSS and VmHWM, in KiB); null when it has ended. */
export function processMemory(pid: number): ProcessMemory | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kibibytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1])
    const memory = { residentBytes: kibibytes('VmRSS') * 1024, peakBytes: kibibytes('VmHWM') * 1024 }
    // A zombie has neither.
    return Number.isNaN(memory.peakBytes) ? null : memory
  } catch {
    return null
  }
}
