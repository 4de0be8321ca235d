import { Type, type Static, type TSchema } from 'typebox'
import {
  MAX_ADDRESS_TEXT,
  MAX_ADDRESSES,
  MAX_DISKS,
  MAX_GATEWAYS,
  MAX_HOSTNAME,
  MAX_INTERFACES,
  MAX_TEXT,
  REBOOT_PARTS,
} from './limits.ts'
import { STORE_PATH_PATTERN } from './store-path.ts'
import { parseTimestamp, TIMESTAMP_PATTERN } from './timestamp.ts'

export { REBOOT_PARTS }

/** Every fact may be null: it could not be read, and the agent's log says why. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const text = nullable(Type.String({ maxLength: MAX_TEXT }))
const addressText = Type.String({ maxLength: MAX_ADDRESS_TEXT })
const flag = nullable(Type.Boolean())
const count = nullable(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
export const StorePath = Type.String({ pattern: STORE_PATH_PATTERN })
export const Timestamp = Type.Refine(
  Type.String({ pattern: TIMESTAMP_PATTERN }),
  (timestamp) => parseTimestamp(timestamp) !== null,
  () => 'must be a date and time that exists, in the years 1 to 9999',
)

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
  disks: nullable(Type.Array(Disk, { maxItems: MAX_DISKS })),
})

const Software = Type.Object({
  hostname: nullable(Type.String({ maxLength: MAX_HOSTNAME })),
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
  addresses: nullable(Type.Array(addressText, { maxItems: MAX_ADDRESSES })),
})

const Network = Type.Object({
  interfaces: nullable(Type.Array(Interface, { maxItems: MAX_INTERFACES })),
  primary: nullable(Type.Object({ interface: text, mac_address: text, address: text })),
  gateways: nullable(Type.Array(addressText, { maxItems: MAX_GATEWAYS })),
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

/** Which NixOS system runs, was booted, and is the profile's. */
export const SystemState = Type.Object({
  current: nullable(StorePath),
  booted: nullable(StorePath),
  profile: nullable(StorePath),
  generation: count,
  profile_changed_at: nullable(Timestamp),
  reboot_needed: nullable(Type.Array(Type.Enum(REBOOT_PARTS), { maxItems: REBOOT_PARTS.length })),
})
export type SystemState = Static<typeof SystemState>
