import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ipv4ToNumber } from '../../../src/agent/facts/ipv4.ts'
import { parseIpv6DefaultRoutes } from '../../../src/agent/facts/ipv6-route.ts'
import { parseIpv4Routes } from '../../../src/agent/facts/route.ts'

const HEADER = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n'

function littleEndianHex(number: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(number)
  return bytes.toString('hex').toUpperCase()
}

describe('parseIpv4Routes', () => {
  test('reads the default route and a network', () => {
    const text =
      'eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0      \n' +
      'eth0\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0      \n'
    expect(parseIpv4Routes(HEADER + text)).toEqual([
      { interface: 'eth0', destination: 0, prefix: 0, gateway: '192.0.2.1', metric: 100 },
      { interface: 'eth0', destination: ipv4ToNumber('192.0.2.0'), prefix: 24, gateway: null, metric: 100 },
    ])
  })

  test('leaves out unreachable networks and routes that are down', () => {
    const text =
      '*\t0000000A\t00000000\t0201\t0\t0\t0\t000000FF\t0\t0\t0\neth0\t0000000A\t00000000\t0000\t0\t0\t0\t000000FF\t0\t0\t0\n'
    expect(parseIpv4Routes(HEADER + text)).toEqual([])
  })

  test('every network and gateway is read back', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff })
    fc.assert(
      fc.property(
        word,
        word,
        fc.integer({ min: 0, max: 32 }),
        fc.nat(),
        (address, gateway, prefix, metric) => {
          const mask = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0
          const line = `br0\t${littleEndianHex(address)}\t${littleEndianHex(gateway)}\t0003\t0\t0\t${metric}\t${littleEndianHex(mask)}\t0\t0\t0\n`
          const [route] = parseIpv4Routes(HEADER + line)
          expect(route).toMatchObject({ interface: 'br0', destination: address, prefix, metric })
          expect(ipv4ToNumber(route!.gateway!)).toBe(gateway)
        },
      ),
    )
  })
})

describe('parseIpv6DefaultRoutes', () => {
  const ZERO = '0'.repeat(32)
  const line = (nextHop: string, flags: string, name: string, metric = '00000400') =>
    `${ZERO} 00 ${ZERO} 00 ${nextHop} ${metric} 00000001 00000000 ${flags} ${name}\n`

  test('reads next hop and metric, which is in hexadecimal', () => {
    expect(parseIpv6DefaultRoutes(line('20010db8010000000000000000000001', '00000003', '    eth0'))).toEqual([
      { family: 6, interface: 'eth0', gateway: '2001:db8:100::1', metric: 1024 },
    ])
  })

  test('a route through a device has no gateway', () => {
    expect(parseIpv6DefaultRoutes(line(ZERO, '00000001', 'wg0'))).toMatchObject([
      { interface: 'wg0', gateway: null },
    ])
  })

  test('the unreachable route of a host without one is none, nor is a network', () => {
    expect(parseIpv6DefaultRoutes(line(ZERO, '00200200', 'lo', 'ffffffff'))).toEqual([])
    expect(parseIpv6DefaultRoutes(line(ZERO, '00000201', 'lo'))).toEqual([])
    expect(parseIpv6DefaultRoutes(line(ZERO, '00000001', 'eth0').replace(' 00 ', ' 40 '))).toEqual([])
  })
})
