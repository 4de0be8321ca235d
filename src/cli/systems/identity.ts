import type { Fingerprint } from '../../protocol/facts.ts'
import { type Entry, formatSection } from '../sections.ts'

/** Who a system is, by its newest report. */
export function formatIdentity(fingerprint: unknown): string {
  if (fingerprint === null) return 'IDENTITY\n  unknown: it has sent no state report yet\n'
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server has checked it when it took the report
  const { hardware, software, network, security } = fingerprint as Fingerprint
  return [
    formatSection('hardware', hardwareEntries(hardware)),
    formatSection('software', softwareEntries(software)),
    formatSection('network', networkEntries(network)),
    formatSection('security', securityEntries(security)),
  ].join('\n')
}

function hardwareEntries(hardware: Fingerprint['hardware']): Entry[] {
  const { cpu, disks } = hardware
  return [
    ['manufacturer', hardware.manufacturer],
    ['product', hardware.product_name],
    ['product UUID', hardware.product_uuid],
    ['board serial', hardware.board_serial],
    ['chassis serial', hardware.chassis_serial],
    ['BIOS', hardware.bios_version],
    ['CPU', cpu.brand],
    ['cores, threads', `${cpu.cores ?? 'unknown'}, ${cpu.threads ?? 'unknown'}`],
    ['microcode', cpu.microcode],
    ['memory', formatBytes(hardware.memory_bytes, 'binary')],
    ['root filesystem', hardware.root_filesystem_uuid],
    ['disks', disks && disks.map(diskText)],
  ]
}

type Disk = NonNullable<Fingerprint['hardware']['disks']>[number]

function diskText({ name, serial, size_bytes }: Disk): string {
  const size = formatBytes(size_bytes, 'decimal') ?? 'unknown size'
  return `${name ?? 'unknown name'}, ${size}, serial ${serial ?? 'unknown'}`
}

function softwareEntries(software: Fingerprint['software']): Entry[] {
  return [
    ['host name', software.hostname],
    ['machine id digest', software.machine_id_digest],
    ['operating system', software.os_name],
    ['NixOS version', software.nixos_version],
    ['kernel', software.kernel_release],
    ['architecture', software.architecture],
    ['agent', software.agent_version],
  ]
}

type Interface = NonNullable<Fingerprint['network']['interfaces']>[number]

function networkEntries({ interfaces, primary, gateways }: Fingerprint['network']): Entry[] {
  return [
    [
      'primary',
      primary && [primary.interface, primary.address, primary.mac_address].map(orUnknown).join(', '),
    ],
    ['gateways', gateways],
    ['interfaces', interfaces && interfaces.map(interfaceText)],
  ]
}

function interfaceText({ name, mac_address, addresses }: Interface): string {
  const list = addresses === null ? 'addresses unknown' : addresses.join(', ') || 'no addresses'
  return `${orUnknown(name)}, ${orUnknown(mac_address)}: ${list}`
}

function securityEntries(security: Fingerprint['security']): Entry[] {
  const { tpm } = security
  return [
    ['secure boot', onOff(security.secure_boot)],
    ['setup mode', onOff(security.setup_mode)],
    ['TPM', tpm.present === true ? `present, version ${tpm.version ?? 'unknown'}` : presence(tpm.present)],
    ['SELinux', security.selinux],
    ['FIPS mode', onOff(security.fips)],
    ['kernel lockdown', security.lockdown],
    ['kernel taint', security.tainted === 0 ? 'none' : security.tainted],
  ]
}

const orUnknown = (text: string | null): string => text ?? 'unknown'
const onOff = (flag: boolean | null): string | null => (flag === null ? null : flag ? 'on' : 'off')
const presence = (flag: boolean | null): string | null => (flag === null ? null : 'absent')

/** Memory is sold in powers of 1024, disks in powers of 1000. The exact number stays beside it. */
function formatBytes(bytes: number | null, system: 'binary' | 'decimal'): string | null {
  if (bytes === null) return null
  const [base, units] =
    system === 'binary'
      ? ([1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']] as const)
      : ([1000, ['B', 'kB', 'MB', 'GB', 'TB']] as const)
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log(bytes) / Math.log(base)))
  const number = bytes / base ** power
  return `${power === 0 ? number : number.toFixed(1)} ${units[power] ?? ''}${power === 0 ? '' : ` (${bytes} bytes)`}`
}
