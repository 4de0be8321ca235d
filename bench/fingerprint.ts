import type { Fingerprint } from '../src/protocol/facts.ts'

/** What a laptop's report says, as it is kept: some kilobytes of JSON. */
export const FINGERPRINT: Fingerprint = {
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
    hostname: 'host',
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
