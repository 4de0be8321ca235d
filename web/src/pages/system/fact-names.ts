/** What a fact's value is, for how it is shown. */
export type FactKind =
  | 'text'
  | 'memory'
  | 'switch'
  | 'presence'
  | 'digest'
  | 'taint'
  | 'disks'
  | 'interfaces'
  | 'list'
  | 'path'
  | 'time'

export interface NamedFact {
  /** JSON pointer (RFC 6901) below the report. */
  path: string
  name: string
  kind: FactKind
}

const of =
  (below: string) =>
  (path: string, name: string, kind: FactKind = 'text'): NamedFact => ({
    path: `${below}/${path}`,
    name,
    kind,
  })
const hardware = of('/fingerprint/hardware')
const software = of('/fingerprint/software')
const network = of('/fingerprint/network')
const security = of('/fingerprint/security')

/** The facts of a report in the order in which they are read. */
export const FACT_GROUPS: readonly { title: string; facts: readonly NamedFact[] }[] = [
  {
    title: 'Hardware',
    facts: [
      hardware('manufacturer', 'Manufacturer'),
      hardware('product_name', 'Product'),
      hardware('product_uuid', 'Product UUID'),
      hardware('board_serial', 'Board serial'),
      hardware('chassis_serial', 'Chassis serial'),
      hardware('bios_version', 'BIOS'),
      hardware('root_filesystem_uuid', 'Root filesystem'),
      hardware('disks', 'Disks', 'disks'),
    ],
  },
  {
    title: 'CPU and memory',
    facts: [
      hardware('cpu/brand', 'CPU'),
      hardware('cpu/cores', 'Cores'),
      hardware('cpu/threads', 'Threads'),
      hardware('cpu/microcode', 'Microcode'),
      hardware('memory_bytes', 'Memory', 'memory'),
    ],
  },
  {
    title: 'Network',
    facts: [
      network('primary/interface', 'Primary interface'),
      network('primary/address', 'Primary address'),
      network('primary/mac_address', 'Primary MAC address'),
      network('gateways', 'Gateways', 'list'),
      network('interfaces', 'Interfaces', 'interfaces'),
    ],
  },
  {
    title: 'Security',
    facts: [
      security('secure_boot', 'Secure boot', 'switch'),
      security('setup_mode', 'Setup mode', 'switch'),
      security('tpm/present', 'TPM', 'presence'),
      security('tpm/version', 'TPM version'),
      security('selinux', 'SELinux'),
      security('fips', 'FIPS mode', 'switch'),
      security('lockdown', 'Kernel lockdown'),
      security('tainted', 'Kernel taint', 'taint'),
    ],
  },
  {
    title: 'Software',
    facts: [
      software('hostname', 'Host name'),
      software('machine_id_digest', 'Machine id digest', 'digest'),
      software('os_name', 'Operating system'),
      software('nixos_version', 'NixOS version'),
      software('kernel_release', 'Kernel'),
      software('architecture', 'Architecture'),
      software('agent_version', 'Agent'),
    ],
  },
]

const SYSTEM = of('/system')
const NAMED: readonly NamedFact[] = [
  ...FACT_GROUPS.flatMap(({ facts }) => facts),
  SYSTEM('current', 'Runs', 'path'),
  SYSTEM('booted', 'Booted', 'path'),
  SYSTEM('profile', 'Profile', 'path'),
  SYSTEM('generation', 'Generation'),
  SYSTEM('profile_changed_at', 'Profile changed', 'time'),
  SYSTEM('reboot_needed', 'Reboot needed', 'list'),
]

/** The fact that a changed value belongs to; one that this version does not name has its pointer for a name. */
export function factAt(path: string): NamedFact {
  const exact = NAMED.find((fact) => fact.path === path)
  if (exact !== undefined) return exact
  const around = NAMED.find((fact) => path.startsWith(`${fact.path}/`))
  const rest = around === undefined ? path : path.slice(around.path.length)
  return { path, name: around === undefined ? path : `${around.name} ${rest.slice(1)}`, kind: 'text' }
}

/** The value at a JSON pointer whose names need no unescaping. */
export function valueAt(document: unknown, path: string): unknown {
  let value = document
  for (const name of path.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null
    value = Object.entries(value).find(([key]) => key === name)?.[1]
  }
  return value
}
