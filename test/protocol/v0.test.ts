import { sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Compile } from 'typebox/compile'
import { verifyWithNode } from '../../src/protocol/ed25519.ts'
import { Fingerprint, SystemState } from '../../src/protocol/facts.ts'
import { privateKeyFromSeed } from '../../src/protocol/keys.ts'
import { toVersion1Facts } from '../../src/protocol/v0-facts.ts'
import { readVersion0Interfaces } from '../../src/protocol/v0-interfaces.ts'
import { checkVersion0Freshness, parseVersion0, readVersion0Signature } from '../../src/protocol/v0.ts'
import { STORE_PATH } from '../support/messages.ts'
import { problemOf } from '../support/problems.ts'

/** What a version 0 agent sends, with its fields in its order. */
const MESSAGE = {
  id: null,
  hostname: 'web1',
  change_reason: 'config_change',
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
  network_interfaces:
    '[{"name":"wlan0","mac_address":"52:54:00:00:00:02","ip_addresses":["fe80::1/64","192.0.2.8/24"]},' +
    '{"name":"veth12ab","mac_address":"aa:bb:cc:00:00:01","ip_addresses":[]},' +
    '{"name":"eth0","mac_address":"52:54:00:00:00:01","ip_addresses":["2001:db8::7/64","192.0.2.7/24"]}]',
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
  agent_compatible: true,
  partial_data: ['anything'],
}

const encode = (document: unknown): Buffer => Buffer.from(JSON.stringify(document))
const factsOf = (changes: object = {}) =>
  toVersion1Facts(parseVersion0(encode({ ...MESSAGE, ...changes })).value)

describe('a version 0 message', () => {
  test('becomes the facts of version 1, with null for what it does not know', () => {
    expect(factsOf()).toEqual({
      observedAt: '2026-11-23T12:00:00.123456789Z',
      reason: 'config_change',
      system: {
        current: STORE_PATH,
        booted: null,
        profile: null,
        generation: null,
        profile_changed_at: null,
        reboot_needed: null,
      },
      fingerprint: {
        hardware: {
          manufacturer: null,
          product_name: null,
          product_uuid: '4c4c4544-0042-3510-8052-b4c04f4e4a32',
          board_serial: 'FRANMGCP09',
          chassis_serial: null,
          bios_version: '03.05',
          cpu: { brand: 'AMD Ryzen 7 7840U', cores: 16, threads: null, microcode: '0xa704104' },
          memory_bytes: 33_532_936_192,
          root_filesystem_uuid: '0b1f2c3d-1111-2222-3333-444455556666',
          disks: null,
        },
        software: {
          hostname: 'web1',
          machine_id_digest: null,
          os_name: 'NixOS',
          nixos_version: '25.11',
          kernel_release: '6.12.8',
          architecture: null,
          agent_version: '0.1.0',
        },
        network: {
          interfaces: [
            { name: 'eth0', mac_address: '52:54:00:00:00:01', addresses: ['192.0.2.7/24', '2001:db8::7/64'] },
            { name: 'wlan0', mac_address: '52:54:00:00:00:02', addresses: ['192.0.2.8/24'] },
          ],
          primary: { interface: null, mac_address: '52:54:00:00:00:01', address: '192.0.2.7' },
          gateways: ['192.0.2.1'],
        },
        security: {
          tpm: { present: true, version: null },
          secure_boot: false,
          setup_mode: null,
          selinux: 'disabled',
          fips: null,
          lockdown: null,
          tainted: null,
        },
      },
    })
  })

  test('with nothing but its required fields becomes facts that are null', () => {
    const { hostname, change_reason, timestamp } = MESSAGE
    const { value } = parseVersion0(encode({ hostname, change_reason, timestamp }))
    const { fingerprint, system } = toVersion1Facts(value)
    expect(fingerprint.network).toEqual({ interfaces: null, primary: null, gateways: null })
    expect(fingerprint.hardware.memory_bytes).toBeNull()
    expect(system.current).toBeNull()
    expect(Compile(Fingerprint).Check(fingerprint)).toBe(true)
    expect(Compile(SystemState).Check(system)).toBe(true)
  })

  test('has the same facts an hour later, when only time has passed', () => {
    const later = factsOf({
      timestamp: '2026-11-23T13:00:00Z',
      uptime_secs: 90_000,
      change_reason: 'heartbeat',
    })
    expect(later.fingerprint).toEqual(factsOf().fingerprint)
    expect(later.system).toEqual(factsOf().system)
  })

  test('that has an empty text where it does not know something becomes null there', () => {
    const { fingerprint } = factsOf({
      os: '',
      gateway_ip: '',
      primary_mac_address: '',
      primary_ip_address: '',
    })
    expect(fingerprint.software.os_name).toBeNull()
    expect(fingerprint.network.gateways).toBeNull()
    expect(fingerprint.network.primary).toBeNull()
  })

  test('may carry its output path as store_path', () => {
    expect(factsOf({ derivation_path: undefined, store_path: STORE_PATH }).system.current).toBe(STORE_PATH)
    expect(factsOf({ derivation_path: null, store_path: STORE_PATH }).system.current).toBe(STORE_PATH)
  })

  test.each(['', 'unknown', '/run/current-system', `${STORE_PATH}/init`])(
    'has no current system when its path is %j',
    (derivation_path) => {
      expect(factsOf({ derivation_path }).system.current).toBeNull()
    },
  )

  test.each([
    ['startup', 'startup'],
    ['config_change', 'config_change'],
    ['state_delta', 'state_delta'],
    ['heartbeat', 'state_delta'],
  ])('with the reason %s is stored with the reason %s', (change_reason, reason) => {
    expect(factsOf({ change_reason }).reason).toBe(reason)
  })

  test('keeps its document as received', () => {
    expect(parseVersion0(encode(MESSAGE)).document).toEqual(MESSAGE)
  })

  test.each([
    ['/hostname', { hostname: '' }],
    ['/hostname', { hostname: null }],
    ['/change_reason', { change_reason: 'requested' }],
    ['/timestamp', { timestamp: null }],
    ['/timestamp', { timestamp: '2026-02-30T00:00:00Z' }],
    ['/memory_gb', { memory_gb: -1 }],
    ['/memory_gb', { memory_gb: 1e300 }],
    ['/tpm_present', { tpm_present: 'yes' }],
    ['/gateway_ip', { gateway_ip: 'x'.repeat(65) }],
  ])('is invalid with a wrong %s', (path, changes) => {
    const problem = problemOf(() => parseVersion0(encode({ ...MESSAGE, ...changes })))
    expect(problem.problem).toBe('invalid')
    expect(problem.members.errors?.map((error) => error.path)).toEqual([path])
  })
})

const addressesOf = (ip_addresses: string[]) =>
  readVersion0Interfaces([{ name: 'eth0', ip_addresses }])?.[0]?.addresses

describe('the interfaces of a version 0 message', () => {
  const eth0 = { name: 'eth0', mac_address: null, ip_addresses: ['192.0.2.7'] }
  const read = [{ name: 'eth0', mac_address: null, addresses: ['192.0.2.7'] }]

  test('are JSON, or a text that holds JSON', () => {
    expect(readVersion0Interfaces([eth0])).toEqual(read)
    expect(readVersion0Interfaces(JSON.stringify([eth0]))).toEqual(read)
    expect(readVersion0Interfaces('[]')).toEqual([])
  })

  test.each([
    ['absent', undefined],
    ['null', null],
    ['an empty text', ''],
    ['a text that is not JSON', 'eth0'],
    ['an object', eth0],
    ['a text in a text', JSON.stringify(JSON.stringify([eth0]))],
    ['without names', [{ mac_address: 'x', ip_addresses: [] }]],
    ['numbers', [1]],
    ['with U+0000', String.raw`[{"name":"eth\u0000"}]`],
    ['with a lone surrogate', String.raw`[{"name":"eth\ud800"}]`],
    ['too many', Array.from({ length: 129 }, (_, index) => ({ name: `eth${index}` }))],
  ])('are unknown when they are %s', (_, field) => {
    expect(readVersion0Interfaces(field)).toBeNull()
  })

  test('leave out those of containers, virtual machines and tunnels', () => {
    const names = [
      'lo',
      'veth0a1',
      'docker0',
      'br-0123456789ab',
      'cni0',
      'calic0ffee',
      'virbr0',
      'vnet3',
      'tun0',
      'tap1',
    ]
    const kept = ['bond0', 'br0', 'enp1s0', 'wlan0']
    const found = readVersion0Interfaces([...names, ...kept].map((name) => ({ name })))
    expect(found?.map(({ name }) => name)).toEqual(kept)
  })

  test('have unknown addresses when there are more than version 1 takes', () => {
    const addresses = Array.from({ length: 33 }, (_, index) => `192.0.2.${index}`)
    expect(addressesOf(addresses)).toBeNull()
    expect(addressesOf(addresses.slice(1))).toHaveLength(32)
  })

  test('leave out link-local addresses', () => {
    const ip_addresses = ['FE80::1', 'febf::1/64', '169.254.3.4', 'fec0::1', '2001:db8::1']
    expect(addressesOf(ip_addresses)).toEqual(['2001:db8::1', 'fec0::1'])
  })
})

describe('the headers of version 0', () => {
  const key = privateKeyFromSeed(Buffer.alloc(32, 9))
  const body = encode(MESSAGE)
  const signature = sign(null, body, key.keyObject).toString('base64')

  test('name a host and carry a signature over the raw body', () => {
    const { hostname, signatureBytes } = readVersion0Signature({ keyId: 'web1', signature })
    expect(hostname).toBe('web1')
    expect(verifyWithNode(key.publicKey, body, signatureBytes)).toBe(true)
  })

  test.each([
    ['unsigned', { keyId: undefined, signature }],
    ['unsigned', { keyId: '', signature }],
    ['unsigned', { keyId: 'web1', signature: undefined }],
    ['malformed', { keyId: 'x'.repeat(254), signature }],
    ['malformed', { keyId: 'web1', signature: '' }],
    ['malformed', { keyId: 'web1', signature: signature.replace('==', '') }],
    ['malformed', { keyId: 'web1', signature: Buffer.alloc(63).toString('base64') }],
    ['malformed', { keyId: 'web1', signature: Buffer.alloc(64, 0xff).toString('base64url') }],
  ])('are %s as %j', (problem, headers) => {
    expect(problemOf(() => readVersion0Signature(headers)).problem).toBe(problem)
  })

  test('leave it to the timestamp in the body to be fresh', () => {
    const sentMs = Date.parse('2026-11-23T12:00:00.123Z')
    expect(checkVersion0Freshness(MESSAGE, sentMs + 300_000)).toBe(sentMs)
    for (const nowMs of [sentMs + 300_001, sentMs - 300_001]) {
      expect(problemOf(() => checkVersion0Freshness(MESSAGE, nowMs)).problem).toBe('stale-signature')
    }
  })
})
