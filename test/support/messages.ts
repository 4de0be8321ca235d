import type { Fingerprint, SystemState } from '../../src/protocol/facts.ts'
import type { Heartbeat, StateReport } from '../../src/protocol/messages.ts'

export const STORE_PATH = '/nix/store/0c4bxmg5cmjzr41f2b4vdfv9ddxfrq8v-nixos-system-web1-25.11'

/** A fingerprint with a value for every fact. */
export function createFingerprint(): Fingerprint {
  return {
    hardware: {
      manufacturer: 'Framework',
      product_name: 'Laptop 13',
      product_uuid: '4c4c4544-0042-3510-8052-b4c04f4e4a32',
      board_serial: 'FRANMGCP09',
      chassis_serial: 'FRANDGCP',
      bios_version: '03.05',
      cpu: { brand: 'AMD Ryzen 7 7840U', cores: 8, threads: 16, microcode: '0xa704104' },
      memory_bytes: 33_554_432_000,
      root_filesystem_uuid: '0b1f2c3d-1111-2222-3333-444455556666',
      disks: [{ name: 'nvme0n1', serial: 'S5GXNX0T', size_bytes: 1_000_204_886_016 }],
    },
    software: {
      hostname: 'web1',
      machine_id_digest: 'ab'.repeat(32),
      os_name: 'NixOS',
      nixos_version: '25.11.20261120.deadbee',
      kernel_release: '6.12.8',
      architecture: 'x86_64',
      agent_version: '0.3.0',
    },
    network: {
      interfaces: [{ name: 'eth0', mac_address: '52:54:00:12:34:56', addresses: ['192.0.2.7/24'] }],
      primary: { interface: 'eth0', mac_address: '52:54:00:12:34:56', address: '192.0.2.7/24' },
      gateways: ['192.0.2.1'],
    },
    security: {
      tpm: { present: true, version: '2' },
      secure_boot: true,
      setup_mode: false,
      selinux: 'disabled',
      fips: false,
      lockdown: 'none',
      tainted: 0,
    },
  }
}

export function createSystemState(): SystemState {
  return {
    current: STORE_PATH,
    booted: STORE_PATH,
    profile: STORE_PATH,
    generation: 42,
    profile_changed_at: '2026-11-20T08:00:00Z',
    reboot_needed: ['kernel', 'initrd'],
  }
}

export function createStateReport(members: Partial<StateReport> = {}): StateReport {
  return {
    version: 1,
    sequence: 1_795_434_334_124,
    observed_at: '2026-11-23T12:00:00.123Z',
    reason: 'startup',
    previous: null,
    dropped: 0,
    spool_failed: false,
    boot_id: '0b1f2c3d-1111-2222-3333-444455556666',
    clock_skew_secs: 0,
    system: createSystemState(),
    fingerprint: createFingerprint(),
    ...members,
  }
}

export function createHeartbeat(members: Partial<Heartbeat> = {}): Heartbeat {
  return {
    version: 1,
    sequence: 1_795_434_334_123,
    boot_id: '0b1f2c3d-1111-2222-3333-444455556666',
    uptime_secs: 86_400,
    clock_skew_secs: 0,
    current_system: STORE_PATH,
    state_digest: `sha256:${'0'.repeat(64)}`,
    reported: null,
    ...members,
  }
}
