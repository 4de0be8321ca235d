import type { Fingerprint } from '../../protocol/facts.ts'
import type { Root } from '../root.ts'
import { efiVariablePath, parseEfiFlag } from './efi-variable.ts'
import { parseLockdown } from './lockdown.ts'
import type { Notes } from './notes.ts'
import { lacks, readCount, readUnlessAbsent } from './read.ts'

type Security = Fingerprint['security']

const TPM_CLASS = '/sys/class/tpm'
const ENFORCE = '/sys/fs/selinux/enforce'
const FIPS = '/proc/sys/crypto/fips_enabled'
const LOCKDOWN = '/sys/kernel/security/lockdown'

export async function readSecurity(root: Root, notes: Notes): Promise<Security> {
  const [tpm, secureBoot, setupMode, selinux, fips, lockdown, tainted] = await Promise.all([
    readTpm(root, notes),
    notes.attempt('security.secure_boot', () => readSecureBoot(root)),
    notes.attempt('security.setup_mode', () => readSetupMode(root)),
    notes.attempt('security.selinux', () => readSelinux(root)),
    notes.attempt('security.fips', () => readFips(root)),
    notes.text('security.lockdown', () => readLockdown(root)),
    notes.attempt('security.tainted', () => readCount(root, '/proc/sys/kernel/tainted')),
  ])
  return { tpm, secure_boot: secureBoot, setup_mode: setupMode, selinux, fips, lockdown, tainted }
}

async function readTpm(root: Root, notes: Notes): Promise<Security['tpm']> {
  const tpms = await notes.attempt('security.tpm', () => listTpms(root))
  if (tpms === null) return { present: null, version: null }
  const version = await notes.text('security.tpm.version', () => {
    const [tpm] = tpms
    if (tpm === undefined) throw new Error('there is no TPM')
    return root.readText(`${TPM_CLASS}/${tpm}/tpm_version_major`)
  })
  return { present: tpms.length > 0, version }
}

async function listTpms(root: Root): Promise<string[]> {
  if (await lacks(root, '/sys/class', 'tpm')) return []
  return (await root.list(TPM_CLASS)).filter((name) => /^tpm\d+$/.test(name)).sort()
}

/** Firmware without the variable cannot do Secure Boot, and neither can a BIOS. */
async function readSecureBoot(root: Root): Promise<boolean> {
  const path = efiVariablePath('SecureBoot')
  return readUnlessAbsent(
    async () => parseEfiFlag(await root.readBytes(path)),
    async () => {
      if (await lacks(root, '/sys/firmware', 'efi')) return false
      await lacks(root, '/sys/firmware/efi/efivars', 'SecureBoot')
      return false
    },
  )
}

async function readSetupMode(root: Root): Promise<boolean> {
  const path = efiVariablePath('SetupMode')
  return readUnlessAbsent(
    async () => parseEfiFlag(await root.readBytes(path)),
    async () => {
      if (await lacks(root, '/sys/firmware', 'efi'))
        throw new Error('this host was not started by UEFI firmware')
      throw new Error(`${path} does not exist`)
    },
  )
}

/** The kernel makes /sys/fs/selinux only when SELinux was not turned off at boot. */
async function readSelinux(root: Root): Promise<string> {
  return readUnlessAbsent(
    async () => ((await readCount(root, ENFORCE)) === 0 ? 'permissive' : 'enforcing'),
    async () => {
      if (await lacks(root, '/sys/fs', 'selinux')) return 'disabled'
      throw new Error(`${ENFORCE} does not exist: selinuxfs is not mounted`)
    },
  )
}

/** A kernel that was built without FIPS mode has no such file. */
async function readFips(root: Root): Promise<boolean> {
  return readUnlessAbsent(
    async () => (await readCount(root, FIPS)) !== 0,
    async () => {
      await lacks(root, '/proc/sys', 'crypto')
      return false
    },
  )
}

/** A kernel without the lockdown module locks nothing down. */
async function readLockdown(root: Root): Promise<string> {
  return readUnlessAbsent(
    async () => parseLockdown(await root.readText(LOCKDOWN)),
    async () => {
      await lacks(root, '/sys/kernel/security', 'lockdown')
      return 'none'
    },
  )
}
