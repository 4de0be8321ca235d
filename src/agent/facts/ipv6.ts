import { SocketAddress } from 'node:net'

/** 32 hexadecimal digits as /proc writes an IPv6 address → its canonical text (RFC 5952). */
export function formatIpv6(hex: string): string {
  const address = hex.match(/.{4}/g)?.join(':') ?? ''
  return new SocketAddress({ address, family: 'ipv6' }).address
}

/** fe80::/10 (RFC 4291, 2.5.6). */
export function isLinkLocalIpv6(address: string): boolean {
  return /^fe[89ab]/.test(address)
}
