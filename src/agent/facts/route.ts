export interface Route {
  interface: string
  /** As a number, see ipv4.ts. */
  destination: number
  prefix: number
  /** Dotted, or null for a network reached directly. */
  gateway: string | null
  metric: number
}

const RTF_UP = 0x1
const RTF_GATEWAY = 0x2
const RTF_REJECT = 0x200

/**
 * The usable routes of the main table from /proc/net/route. Addresses there are 32-bit numbers printed in the byte
 * order of the machine, which is little endian wherever NixOS runs: 192.0.2.1 is `010200C0`.
 */
export function parseIpv4Routes(text: string): Route[] {
  return text.split('\n').slice(1).flatMap(parseLine)
}

function parseLine(line: string): Route[] {
  const [name, destination, gateway, flagText, , , metric, mask] = line.trim().split(/\s+/)
  if (name === undefined || !isWord(destination) || !isWord(gateway) || !isWord(mask)) return []
  const flags = Number.parseInt(flagText ?? '', 16)
  if ((flags & RTF_UP) === 0 || (flags & RTF_REJECT) !== 0) return []
  return [
    {
      interface: name,
      destination: toBytes(destination).readUInt32BE(),
      prefix: toBytes(mask).readUInt32BE().toString(2).replaceAll('0', '').length,
      gateway: (flags & RTF_GATEWAY) === 0 ? null : toBytes(gateway).join('.'),
      metric: Number(metric),
    },
  ]
}

function isWord(text: string | undefined): text is string {
  return text !== undefined && /^[0-9A-F]{8}$/i.test(text)
}

function toBytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex').swap32()
}
