import { sign } from 'node:crypto'
import type { PrivateKey } from '../../src/protocol/keys.ts'
import { STORE_PATH } from './messages.ts'
import type { TestServer } from './test-server.ts'

/** What the earlier agents send, with their fields in their order. */
export const VERSION_0_MESSAGE = {
  id: null,
  hostname: 'web1',
  change_reason: 'startup',
  timestamp: '2026-11-23T12:00:00.123456789Z',
  derivation_path: STORE_PATH,
  os: 'NixOS',
  kernel: '6.12.8',
  memory_gb: 31_979.5,
  uptime_secs: 86_400,
  cpu_brand: 'AMD Ryzen 7 7840U',
  cpu_cores: 16,
  board_serial: 'FRANMGCP09',
  product_uuid: '4c4c4544-0042-3510-8052-b4c04f4e4a32',
  rootfs_uuid: '0b1f2c3d-1111-2222-3333-444455556666',
  chassis_serial: null,
  bios_version: '03.05',
  cpu_microcode: '0xa704104',
  network_interfaces: '[{"name":"eth0","mac_address":"52:54:00:00:00:01","ip_addresses":["192.0.2.7/24"]}]',
  primary_mac_address: '52:54:00:00:00:01',
  primary_ip_address: '192.0.2.7',
  gateway_ip: '192.0.2.1',
  selinux_status: 'disabled',
  tpm_present: true,
  secure_boot_enabled: false,
  fips_mode: null,
  agent_version: '0.1.0',
  agent_build_hash: 'deadbeef',
  nixos_version: '25.11',
}

export interface Version0Reply {
  status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- the tests say what they expect in it
  body: any
  sent: Buffer
}

export interface Version0Given {
  /** Sent instead of the host name. */
  keyId?: string
  key?: PrivateKey
  headers?: Record<string, string>
  /** Sent instead of the body that was signed. */
  sentBody?: string
}

export type Version0Path = '/agent/heartbeat' | '/agent/state' | '/system_state'

/** An agent of the earlier Crystal Forge: each message is a millisecond younger than the one before. */
export function createVersion0Agent(server: Pick<TestServer, 'url'>, hostname: string, key: PrivateKey) {
  let time = Date.now()
  return async (
    path: Version0Path,
    members: object = {},
    given: Version0Given = {},
  ): Promise<Version0Reply> => {
    time = Math.max(time + 1, Date.now())
    const message = { ...VERSION_0_MESSAGE, hostname, timestamp: new Date(time).toISOString(), ...members }
    const body = Buffer.from(JSON.stringify(message))
    const sent = given.sentBody === undefined ? body : Buffer.from(given.sentBody)
    const response = await fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: {
        'x-key-id': given.keyId ?? hostname,
        'x-signature': sign(null, body, (given.key ?? key).keyObject).toString('base64'),
        ...given.headers,
      },
      body: new Uint8Array(sent),
    })
    return { status: response.status, body: await response.json(), sent }
  }
}
