import { machine } from 'node:os'
import type { Fingerprint } from '../../protocol/facts.ts'
import type { Root } from '../root.ts'
import { machineIdDigest } from './machine-id.ts'
import type { Notes } from './notes.ts'
import { isNixos, parseOsRelease } from './os-release.ts'
import { readFirst, readUnlessAbsent } from './read.ts'
import { cleanText } from './text.ts'

type Software = Fingerprint['software']

/** DNS's limit for a name (RFC 1035, 2.3.4). */
const MAX_HOSTNAME_LENGTH = 253

export async function readSoftware(root: Root, notes: Notes, agentVersion: string): Promise<Software> {
  const release = await notes.attempt('software.os_name', async () =>
    parseOsRelease(await readFirst(root, ['/etc/os-release', '/usr/lib/os-release'])),
  )
  const [hostname, machineId, osName, nixosVersion, kernelRelease, architecture] = await Promise.all([
    notes.text('software.hostname', () => readHostname(root)),
    notes.attempt('software.machine_id_digest', async () =>
      machineIdDigest(await root.readText('/etc/machine-id')),
    ),
    release === null ? null : notes.text('software.os_name', () => release.get('NAME') ?? 'Linux'),
    notes.text('software.nixos_version', () => readNixosVersion(root, release)),
    notes.text('software.kernel_release', () => root.readText('/proc/sys/kernel/osrelease')),
    notes.text('software.architecture', () => readArchitecture(root)),
  ])
  return {
    hostname,
    machine_id_digest: machineId,
    os_name: osName,
    nixos_version: nixosVersion,
    kernel_release: kernelRelease,
    architecture,
    agent_version: await notes.text('software.agent_version', () => agentVersion),
  }
}

/** hostname(5): one name, blank lines and those that begin with # ignored. The kernel's is `(none)` until it is set. */
async function readHostname(root: Root): Promise<string> {
  const name = (await readHostnameFile(root)) ?? cleanText(await root.readText('/proc/sys/kernel/hostname'))
  if (name === '(none)') throw new Error('is not set')
  if (name.length > MAX_HOSTNAME_LENGTH) throw new Error(`is longer than ${MAX_HOSTNAME_LENGTH} characters`)
  return name
}

async function readHostnameFile(root: Root): Promise<string | null> {
  const text = await root.readText('/etc/hostname').catch(() => '')
  const names = text.split('\n').map(cleanText)
  return names.find((line) => line !== '' && !line.startsWith('#')) ?? null
}

/** BUILD_ID is the full `25.11.20251120.abc1234`; where it is missing, the running system's label or 25.11 alone. */
async function readNixosVersion(root: Root, release: Map<string, string> | null): Promise<string> {
  if (release !== null && !isNixos(release)) throw new Error(`this is ${release.get('ID') ?? 'not NixOS'}`)
  const buildId = release?.get('BUILD_ID') ?? ''
  if (buildId !== '') return buildId
  try {
    return await readFirst(root, ['/run/current-system/nixos-version'])
  } catch (error) {
    const versionId = release?.get('VERSION_ID') ?? ''
    if (versionId !== '') return versionId
    throw error
  }
}

/** The kernel says it in a file since 6.1. */
async function readArchitecture(root: Root): Promise<string> {
  return readUnlessAbsent(
    () => root.readText('/proc/sys/kernel/arch'),
    async () => {
      if (await root.isLive('/proc')) return machine()
      throw new Error('/proc/sys/kernel/arch does not exist')
    },
  )
}
