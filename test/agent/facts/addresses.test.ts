import { networkInterfaces } from 'node:os'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assignIpv4, kernelIpv4 } from '../../../src/agent/facts/addresses.ts'
import { parseLocalIpv4 } from '../../../src/agent/facts/fib-trie.ts'
import { parseIpv6Addresses } from '../../../src/agent/facts/if-inet6.ts'
import { ipv4ToNumber } from '../../../src/agent/facts/ipv4.ts'
import { formatIpv6 } from '../../../src/agent/facts/ipv6.ts'
import { createRoot } from '../../../src/agent/root.ts'

const network = (text: string, name: string) => {
  const [address, prefix] = text.split('/')
  return {
    interface: name,
    destination: ipv4ToNumber(address!),
    prefix: Number(prefix),
    gateway: null,
    metric: 0,
  }
}

describe('assignIpv4', () => {
  test('an address belongs where the narrowest network leads that holds it', () => {
    const routes = [network('10.0.0.0/8', 'tun0'), network('10.20.0.0/16', 'eth0')]
    expect(assignIpv4(['10.20.0.7', '10.9.0.1'], [], routes)).toEqual({
      assigned: [
        { interface: 'eth0', address: '10.20.0.7/16' },
        { interface: 'tun0', address: '10.9.0.1/8' },
      ],
      ambiguous: [],
    })
  })

  test('two interfaces in one network cannot be told apart', () => {
    const routes = [network('192.0.2.0/24', 'eth0'), network('192.0.2.0/24', 'eth1')]
    expect(assignIpv4(['192.0.2.7'], [], routes)).toEqual({ assigned: [], ambiguous: ['192.0.2.7'] })
  })

  test('an address by itself, without a network, cannot be placed', () => {
    const viaGateway = { ...network('0.0.0.0/0', 'eth0'), gateway: '172.31.1.1' }
    expect(assignIpv4(['203.0.113.9'], [], [viaGateway, network('172.31.1.1/32', 'eth0')]).ambiguous).toEqual(
      ['203.0.113.9'],
    )
  })

  test('what the kernel says decides, and the routes give what it leaves out', () => {
    const known = [
      { interface: 'lo', address: '127.0.0.1/8' },
      { interface: 'eth0', address: '203.0.113.9/32' },
    ]
    expect(
      assignIpv4(['203.0.113.9', '192.0.2.7', '127.0.0.1'], known, [network('192.0.2.0/24', 'eth1')]),
    ).toEqual({
      assigned: [
        { interface: 'eth0', address: '203.0.113.9/32' },
        { interface: 'eth1', address: '192.0.2.7/24' },
      ],
      ambiguous: [],
    })
  })

  test('loopback and link-local addresses are left out', () => {
    expect(
      assignIpv4(['127.0.0.53', '169.254.8.1'], [{ interface: 'eth0', address: '169.254.8.1/16' }], []),
    ).toEqual({
      assigned: [],
      ambiguous: [],
    })
  })
})

test('an address with a label belongs to the interface, and IPv6 is not taken from Node', () => {
  const entry = { address: '', netmask: '', mac: '', internal: false }
  expect(
    kernelIpv4({
      'eth0:web': [{ ...entry, family: 'IPv4', cidr: '192.0.2.9/24' }],
      eth0: [{ ...entry, family: 'IPv6', cidr: '2001:db8::1/64', scopeid: 0 }],
    }),
  ).toEqual([{ interface: 'eth0', address: '192.0.2.9/24' }])
})

test('the running kernel prints every IPv4 address that Node knows of', async () => {
  const local = parseLocalIpv4(await createRoot('/').readText('/proc/net/fib_trie'))
  const known = kernelIpv4(networkInterfaces()).map(({ address }) => address.replace(/\/.*/, ''))
  expect(local).toEqual(expect.arrayContaining(known))
})

const line = (flags: string, scope = '00') =>
  `20010db8000000000000000000000007 02 40 ${scope} ${flags}     eth0\n`

describe('parseIpv6Addresses', () => {
  test.each([
    ['permanent', '80', 1],
    ['assigned by a router', '00', 1],
    ['deprecated', '20', 1],
    ['temporary', '01', 0],
    ['temporary and deprecated', '21', 0],
    ['tentative', 'c0', 0],
    ['a duplicate', '88', 0],
  ])('an address that is %s', (_, flags, count) => {
    expect(parseIpv6Addresses(line(flags))).toHaveLength(count)
  })

  test('a prefix length is in hexadecimal', () => {
    expect(parseIpv6Addresses(line('80'))).toEqual([{ interface: 'eth0', address: '2001:db8::7/64' }])
  })

  test('link-local addresses and the loopback are left out', () => {
    const text =
      'fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n00000000000000000000000000000001 01 80 10 80       lo\n'
    expect(parseIpv6Addresses(text)).toEqual([])
  })
})

test('formatIpv6 gives the canonical text of every address', () => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(groups, (numbers) => {
      const plain = numbers.map((number) => number.toString(16)).join(':')
      const hex = numbers.map((number) => number.toString(16).padStart(4, '0')).join('')
      // Of IPv4-mapped and similar addresses inet_ntop(3) writes the end with dots; URL does not.
      fc.pre(numbers.slice(0, 5).some((number) => number !== 0))
      expect(`[${formatIpv6(hex)}]`).toBe(new URL(`http://[${plain}]/`).hostname)
    }),
  )
})
