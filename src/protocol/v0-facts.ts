import type { Fingerprint, SystemState } from './facts.ts'
import type { ReportReason } from './limits.ts'
import { isStorePath } from './store-path.ts'
import { readVersion0Interfaces } from './v0-interfaces.ts'
import type { Version0 } from './v0.ts'

/** What a version 0 message says, in the shapes of a version 1 state report. `observedAt` is RFC 3339 as received. */
export interface Version1Facts {
  fingerprint: Fingerprint
  system: SystemState
  observedAt: string
  reason: ReportReason
}

/** Maps a version 0 message; whatever version 0 does not know is null. Volatile facts (uptime) are left out. */
export function toVersion1Facts(message: Version0): Version1Facts {
  return {
    fingerprint: toFingerprint(message),
    system: toSystemState(message),
    observedAt: message.timestamp,
    // A heartbeat that is stored as a report is one whose state changed.
    reason: message.change_reason === 'heartbeat' ? 'state_delta' : message.change_reason,
  }
}

function toFingerprint(message: Version0): Fingerprint {
  return {
    hardware: {
      manufacturer: null,
      product_name: null,
      product_uuid: known(message.product_uuid),
      board_serial: known(message.board_serial),
      chassis_serial: known(message.chassis_serial),
      bios_version: known(message.bios_version),
      cpu: {
        brand: known(message.cpu_brand),
        cores: message.cpu_cores ?? null,
        threads: null,
        microcode: known(message.cpu_microcode),
      },
      memory_bytes: memoryBytes(message.memory_gb),
      root_filesystem_uuid: known(message.rootfs_uuid),
      disks: null,
    },
    software: {
      hostname: message.hostname,
      machine_id_digest: null,
      os_name: known(message.os),
      nixos_version: known(message.nixos_version),
      kernel_release: known(message.kernel),
      architecture: null,
      agent_version: known(message.agent_version),
    },
    network: toNetwork(message),
    security: {
      tpm: { present: message.tpm_present ?? null, version: null },
      secure_boot: message.secure_boot_enabled ?? null,
      setup_mode: null,
      selinux: known(message.selinux_status),
      fips: message.fips_mode ?? null,
      lockdown: null,
      tainted: null,
    },
  }
}

function toNetwork(message: Version0): Fingerprint['network'] {
  const macAddress = known(message.primary_mac_address)
  const address = known(message.primary_ip_address)
  const gateway = known(message.gateway_ip)
  return {
    interfaces: readVersion0Interfaces(message.network_interfaces),
    primary:
      macAddress === null && address === null ? null : { interface: null, mac_address: macAddress, address },
    gateways: gateway === null ? null : [gateway],
  }
}

/** `derivation_path`, in other agents `store_path`, is where /run/current-system points: an output path. */
function toSystemState(message: Version0): SystemState {
  const path = known(message.derivation_path) ?? known(message.store_path)
  return {
    current: path !== null && isStorePath(path) ? path : null,
    booted: null,
    profile: null,
    generation: null,
    profile_changed_at: null,
    reboot_needed: null,
  }
}

/** Some version 0 facts are an empty text where they are not known. */
function known(text: string | null | undefined): string | null {
  return text === undefined || text === '' ? null : text
}

const BYTES_PER_MIB = 1024 * 1024

function memoryBytes(mebibytes: number | null | undefined): number | null {
  return mebibytes === null || mebibytes === undefined ? null : Math.round(mebibytes * BYTES_PER_MIB)
}
