import { BlockList, isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { isLoopback } from './failure-limit.ts'

export type TransportCheck = (request: FastifyRequest) => boolean

const FORWARDED = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded']

/**
 * Whether nobody between can have read the request: TLS to this process, TLS to a trusted proxy that says so in exactly
 * one header, or loopback without any proxy. What a proxy says that is not trusted counts for nothing.
 */
export function createTransportCheck(trustedProxies: readonly string[]): TransportCheck {
  const proxies = new BlockList()
  for (const cidr of trustedProxies) {
    const [address = '', prefix] = cidr.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) proxies.addAddress(address, family)
    else proxies.addSubnet(address, Number(prefix), family)
  }
  return (request) => {
    const { socket } = request.raw
    const peer = socket.remoteAddress ?? ''
    const isEncrypted = 'encrypted' in socket && socket.encrypted === true
    const forwardedProto = request.headers['x-forwarded-proto']
    // TLS of a proxy says nothing of the way to the proxy
    if (proxies.check(peer, isIPv6(peer) ? 'ipv6' : 'ipv4') && !(isEncrypted && forwardedProto === undefined))
      return forwardedProto === 'https'
    return isEncrypted || (isLoopback(peer) && FORWARDED.every((name) => request.headers[name] === undefined))
  }
}
