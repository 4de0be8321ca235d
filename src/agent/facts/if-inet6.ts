import { formatIpv6, isLinkLocalIpv6 } from './ipv6.ts'

export interface InterfaceAddress {
  interface: string
  /** With prefix length: `2001:db8::7/64`. */
  address: string
}

/** linux/if_addr.h; /proc/net/if_inet6 shows the low eight bits. */
const IFA_F_TEMPORARY = 0x01
const IFA_F_DADFAILED = 0x08
const IFA_F_TENTATIVE = 0x40

/**
 * The lasting global addresses in /proc/net/if_inet6. Columns, all numbers in hexadecimal: address, interface index,
 * prefix length, scope, flags, interface. Left out: link-local ones, temporary ones (RFC 8981), which change every
 * day, and those that duplicate address detection has not accepted.
 */
export function parseIpv6Addresses(text: string): InterfaceAddress[] {
  return text.split('\n').flatMap((line) => {
    const [hex, , prefixText, , flagText, name] = line.trim().split(/\s+/)
    const [prefix, flags] = [Number.parseInt(prefixText ?? '', 16), Number.parseInt(flagText ?? '', 16)]
    if (!/^[0-9a-f]{32}$/i.test(hex ?? '') || !(prefix <= 128) || name === undefined) return []
    if ((flags & (IFA_F_TEMPORARY | IFA_F_DADFAILED | IFA_F_TENTATIVE)) !== 0) return []
    const address = formatIpv6(hex ?? '')
    return isLinkLocalIpv6(address) || address === '::1'
      ? []
      : [{ interface: name, address: `${address}/${prefix}` }]
  })
}
