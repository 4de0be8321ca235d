import { expect, test } from 'vitest'
import { readNetwork } from '../../../src/agent/facts/network.ts'
import { createNotes } from '../../../src/agent/facts/notes.ts'
import { createRoot } from '../../../src/agent/root.ts'
import { unpack } from '../unpack-tree.ts'

async function read(...lines: string[]) {
  const notes = createNotes()
  const network = await readNetwork(createRoot(await unpack(lines.join('\n'))), notes)
  return { ...network, facts: notes.list().map(({ fact }) => fact) }
}

const nic = (name: string) =>
  `link /sys/class/net/${name}/device -> ../../0000:00:03.0\nfile /sys/class/net/${name}/address\n| 02:00:00:00:00:01`
const routes = (...lines: string[]) =>
  `file /proc/net/route\n| Iface\n${lines.map((line) => `| ${line}`).join('\n')}`
const defaultVia = (name: string, gateway: string, metric: number) =>
  `${name}\t00000000\t${gateway}\t0003\t0\t0\t${metric}\t00000000\t0\t0\t0`
const connected = (name: string, hex: string) => `${name}\t${hex}\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0`
const trie = (...addresses: string[]) =>
  [
    'file /proc/net/fib_trie',
    '| Main:',
    ...addresses.flatMap((address) => [`|      |-- ${address}`, '|         /32 host LOCAL']),
  ].join('\n')
const inet6 = (...lines: string[]) =>
  `file /proc/net/if_inet6\n${lines.map((line) => `| ${line}`).join('\n')}`

test('of several default routes that with the lowest metric is the primary one', async () => {
  const { primary, gateways } = await read(
    nic('eth0'),
    nic('wlan0'),
    routes(
      defaultVia('eth0', '010200C0', 600),
      defaultVia('wlan0', '0102A8C0', 100),
      connected('eth0', '000200C0'),
      connected('wlan0', '0002A8C0'),
    ),
    trie('192.0.2.7', '192.168.2.9'),
    inet6(''),
  )
  expect(primary).toEqual({ interface: 'wlan0', mac_address: '02:00:00:00:00:01', address: '192.168.2.9' })
  expect(gateways).toEqual(['192.0.2.1', '192.168.2.1'])
})

test('the primary address is the one in the network of the gateway', async () => {
  const { primary } = await read(
    nic('eth0'),
    routes(defaultVia('eth0', '010200C0', 0), connected('eth0', '000200C0'), connected('eth0', '0000000A')),
    trie('10.0.0.5', '192.0.2.7'),
    inet6(''),
  )
  expect(primary?.address).toBe('192.0.2.7')
})

test('without a default route there is no primary interface, and no gateway is a fact', async () => {
  const network = await read(nic('eth0'), routes(), trie(), inet6(''))
  expect(network).toMatchObject({
    primary: null,
    gateways: [],
    interfaces: [{ name: 'eth0', addresses: [] }],
  })
  expect(network.facts).toEqual(['network.primary'])
})

test('a default route through a tunnel without a gateway gives its own address', async () => {
  const { primary, interfaces } = await read(
    'file /sys/class/net/ppp0/address',
    routes('ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0', connected('ppp0', '000200C0')),
    trie('192.0.2.7'),
    inet6('20010db8000000000000000000000007 02 40 00 80 ppp0'),
  )
  expect(primary).toEqual({ interface: 'ppp0', mac_address: null, address: '192.0.2.7' })
  expect(interfaces).toEqual([])
})

test('addresses are unknown, not none, when the files cannot be read', async () => {
  const network = await read(nic('eth0'), 'unreadable /proc')
  expect(network).toMatchObject({
    primary: null,
    gateways: null,
    interfaces: [{ name: 'eth0', addresses: null }],
  })
})

test('a file among the interfaces is none, and one whose MAC cannot be read stays', async () => {
  const { interfaces } = await read(
    'file /sys/class/net/bonding_masters',
    'dir /sys/class/net/lo',
    'link /sys/class/net/eth0/device -> ../../0000:00:03.0',
    'unreadable /sys/class/net/eth0/address',
    routes(),
    trie(),
    inet6(''),
  )
  expect(interfaces).toEqual([{ name: 'eth0', mac_address: null, addresses: [] }])
})
