import { formatIpv6 } from './ipv6.ts'

export interface DefaultRoute {
  family: 4 | 6
  interface: string
  gateway: string | null
  metric: number
}

const RTF_UP = 0x1
const RTF_GATEWAY = 0x2
const RTF_REJECT = 0x200

/**
 * The default routes in /proc/net/ipv6_route. Columns, all numbers in hexadecimal: destination, its prefix length,
 * source, its prefix length, next hop, metric, references, use, flags, interface. A host without a default route has
 * an `unreachable` one on lo, which is not usable.
 */
export function parseIpv6DefaultRoutes(text: string): DefaultRoute[] {
  return text.split('\n').flatMap((line) => {
    const [destination, prefix, , , nextHop, metric, , , flagText, name] = line.trim().split(/\s+/)
    const flags = Number.parseInt(flagText ?? '', 16)
    if (!/^0{32}$/.test(destination ?? '') || prefix !== '00' || name === undefined) return []
    if ((flags & RTF_UP) === 0 || (flags & RTF_REJECT) !== 0) return []
    const hasGateway = (flags & RTF_GATEWAY) !== 0 && /^[0-9a-f]{32}$/i.test(nextHop ?? '')
    return [
      {
        family: 6,
        interface: name,
        gateway: hasGateway ? formatIpv6(nextHop ?? '') : null,
        metric: Number.parseInt(metric ?? '', 16),
      },
    ]
  })
}
