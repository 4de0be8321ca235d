/** An IPv4 address as a number. */
export function ipv4ToNumber(text: string): number {
  return text.split('.').reduce((number, part) => number * 256 + Number(part), 0)
}

/** Whether two addresses have their first `prefix` bits in common. */
export function inSameNetwork(a: number, b: number, prefix: number): boolean {
  const hostSize = 2 ** (32 - prefix)
  return Math.floor(a / hostSize) === Math.floor(b / hostSize)
}

/** 127.0.0.0/8 and 169.254.0.0/16 (RFC 3927): the same everywhere, or made up when there is no DHCP server. */
export function isLocalOnlyIpv4(address: string): boolean {
  return address.startsWith('127.') || address.startsWith('169.254.')
}
