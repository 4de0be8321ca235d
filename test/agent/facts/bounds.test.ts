import { Value } from 'typebox/value'
import { expect, test } from 'vitest'
import { collectFingerprint } from '../../../src/agent/facts/collect.ts'
import { createRoot } from '../../../src/agent/root.ts'
import { Fingerprint } from '../../../src/protocol/facts.ts'
import { unpack } from '../unpack-tree.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index).padStart(3, '0'))

const disk = (number: string) => [
  `link /sys/block/sd${number}/device -> ../../host0`,
  `file /sys/block/sd${number}/size\n| 8`,
]
const nic = (number: string) => `link /sys/class/net/eth${number}/device -> ../../0000:00:03.0`
const address = (number: string) => `| 20010db8000000000000000000000${number} 02 40 00 80   eth000`

async function collect(lines: string[]) {
  const root = createRoot(await unpack(lines.join('\n')))
  const { fingerprint, unreadable } = await collectFingerprint(root, { agentVersion: '0.1.0' })
  expect(Value.Errors(Fingerprint, fingerprint)).toEqual([])
  return { ...fingerprint, reasons: Object.fromEntries(unreadable.map(({ fact, reason }) => [fact, reason])) }
}

test('of 70 disks the first 64 are reported, with a note', async () => {
  const { hardware, reasons } = await collect(numbers(70).flatMap(disk))
  expect(hardware.disks).toHaveLength(64)
  expect(hardware.disks?.at(-1)).toEqual({ name: 'sd063', serial: null, size_bytes: 4096 })
  expect(reasons['hardware.disks']).toBe('cut to the first 64 of 70')
})

test('of 130 interfaces the first 128 are reported, and of 40 addresses the first 32', async () => {
  const { network, reasons } = await collect([
    ...numbers(130).map(nic),
    'file /proc/net/route',
    'file /proc/net/fib_trie',
    'file /proc/net/if_inet6',
    ...numbers(40).map(address),
  ])
  expect(network.interfaces).toHaveLength(128)
  expect(network.interfaces?.[0]?.addresses).toHaveLength(32)
  expect(reasons['network.interfaces']).toBe('cut to the first 128 of 130')
  expect(reasons['network.interfaces.eth000.addresses']).toBe('cut to the first 32 of 40')
})

test('of 40 gateways the first 32 are reported', async () => {
  const zero = '0'.repeat(32)
  const route = (number: string) =>
    `| ${zero} 00 ${zero} 00 20010db8000000000000000000000${number} 00000400 00000001 00000000 00000003 eth0`
  const { network, reasons } = await collect([
    'file /proc/net/route',
    'file /proc/net/ipv6_route',
    ...numbers(40).map(route),
  ])
  expect(network.gateways).toHaveLength(32)
  expect(reasons['network.gateways']).toBe('cut to the first 32 of 40')
})

test('a text of more than 1024 characters is cut between characters', async () => {
  const { hardware, reasons } = await collect([
    `file /sys/class/dmi/id/product_name\n| ${'\u{1F5A5}'.repeat(1500)}`,
  ])
  expect(hardware.product_name).toBe('\u{1F5A5}'.repeat(1024))
  expect(reasons['hardware.product_name']).toBe('cut to 1024 of 1500 characters')
})

test('a host name that is longer than any may be is none', async () => {
  const { software, reasons } = await collect([`file /etc/hostname\n| ${'a'.repeat(254)}`])
  expect(software.hostname).toBeNull()
  expect(reasons['software.hostname']).toContain('253')
})
