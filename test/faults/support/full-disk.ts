import { execFile } from 'node:child_process'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { errorCode } from '../../../src/lib/errors.ts'
import type { AgentHost } from './agent-host.ts'

const run = promisify(execFile)

/** A disk under an agent's state directory on which, once it is full, nothing more can be written. */
export interface FullDisk {
  /** Before the agent starts. */
  prepare: (host: AgentHost) => Promise<void>
  fill: (host: AgentHost) => Promise<void>
  free: (host: AgentHost) => Promise<void>
}

/** A file system of 256 KiB: writing fails with ENOSPC. Only root may mount it. */
const smallFileSystem: FullDisk = {
  prepare: async ({ stateDir }) => {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=700', 'none', stateDir])
    onTestFinished(async () => {
      await run('umount', ['--lazy', stateDir])
    })
  },
  fill: async ({ stateDir }) => {
    const file = await open(join(stateDir, 'filler'), 'w')
    try {
      for (;;) await file.write(Buffer.alloc(1024))
    } catch (error) {
      if (errorCode(error) !== 'ENOSPC') throw error
    } finally {
      await file.close()
    }
  },
  free: ({ stateDir }) => rm(join(stateDir, 'filler')),
}

/** No file of the agent's may have a byte (setrlimit(2), RLIMIT_FSIZE): writing fails with EFBIG. For everybody. */
const limitedProcess: FullDisk = {
  prepare: async () => {},
  fill: async (host) => {
    await run('prlimit', [`--pid=${host.process().pid}`, '--fsize=0:'])
  },
  free: async (host) => {
    await run('prlimit', [`--pid=${host.process().pid}`, '--fsize=unlimited:'])
  },
}

/** Those that can be had here: the second everywhere. */
export const FULL_DISKS = [
  ...(process.getuid?.() === 0 && (await mayMount())
    ? [{ how: 'no space left', disk: smallFileSystem }]
    : []),
  { how: 'no file may grow', disk: limitedProcess },
]

/** Root in a container may not. */
async function mayMount(): Promise<boolean> {
  return await run('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).then(
    () => true,
    () => false,
  )
}
