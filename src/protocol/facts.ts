import { Type, type Static, type TSchema } from 'typebox'
import { STORE_PATH_PATTERN } from './store-path.ts'

/** Every fact may be null: it could not be read, and the agent's log says why. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const text = nullable(Type.String({ maxLength: 1024 }))
const flag = nullable(Type.Boolean())
const count = nullable(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
export const StorePath = Type.String({ pattern: STORE_PATH_PATTERN })
export const Timestamp = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$',
})

const Disk = Type.Object({ name: text, serial: text, size_bytes: count })

const Hardware = Type.Object({
  manufacturer: text,
  product_name: text,
  product_uuid: text,
  board_serial: text,
  chassis_serial: text,
  bios_version: text,
  cpu: Type.Object({ brand: text, cores: count, threads: count, microcode: text }),
  memory_bytes: count,
  root_filesystem_uuid: text,
  disks: nullable(Type.Array(Disk, { maxItems: 64 })),
})

const Software = Type.Object({
  hostname: nullable(Type.String({ maxLength: 253 })),
  machine_id_digest: nullable(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  os_name: text,
  nixos_version: text,
  kernel_release: text,
  architecture: text,
  agent_version: text,
})

const Interface = Type.Object({
  name: text,
  mac_address: text,
  addresses: nullable(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 32 })),
})

const Network = Type.Object({
  interfaces: nullable(Type.Array(Interface, { maxItems: 128 })),
  primary: nullable(Type.Object({ interface: text, mac_address: text, address: text })),
  gateways: nullable(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 32 })),
})

const Security = Type.Object({
  tpm: Type.Object({ present: flag, version: text }),
  secure_boot: flag,
  setup_mode: flag,
  selinux: text,
  fips: flag,
  lockdown: text,
  tainted: count,
})

/** What the machine is: compared between reports, so nothing in it changes by itself. */
export const Fingerprint = Type.Object({
  hardware: Hardware,
  software: Software,
  network: Network,
  security: Security,
})
export type Fingerprint = Static<typeof Fingerprint>

/** The parts of a booted system that a switch cannot replace (domain.md, `reboot_needed`). */
export const REBOOT_PARTS = ['kernel', 'initrd', 'kernel-modules', 'kernel-params'] as const

/** Which NixOS system runs, was booted, and is the profile's. */
export const SystemState = Type.Object({
  current: nullable(StorePath),
  booted: nullable(StorePath),
  profile: nullable(StorePath),
  generation: count,
  profile_changed_at: nullable(Timestamp),
  reboot_needed: nullable(
    Type.Array(Type.Union(REBOOT_PARTS.map((part) => Type.Literal(part))), { maxItems: REBOOT_PARTS.length }),
  ),
})
export type SystemState = Static<typeof SystemState>
