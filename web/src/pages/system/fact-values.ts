import { recordOf } from '../../keys.ts'
import type { FactKind } from './fact-names.ts'

/** A fact in words: a line, or one for each member of a list; null: the agent could not read it. */
export function sayFact(value: unknown, kind: FactKind): string | string[] | null {
  if (value === null || value === undefined) return null
  if (kind === 'memory') return sayBytes(value, 'binary')
  if (kind === 'switch') return value === true ? 'on' : 'off'
  if (kind === 'presence') return value === true ? 'present' : 'absent'
  if (kind === 'taint' && value === 0) return 'none'
  if (Array.isArray(value)) {
    if (value.length === 0) return 'none'
    return value.map((each) => sayMember(each, kind))
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function sayMember(member: unknown, kind: FactKind): string {
  const { name, serial, size_bytes: size, mac_address: mac, addresses } = recordOf(member)
  if (kind === 'disks')
    return `${orUnknown(name)}, ${sayBytes(size, 'decimal') ?? 'unknown size'}, serial ${orUnknown(serial)}`
  if (kind === 'interfaces') {
    const list = Array.isArray(addresses) ? addresses.join(', ') || 'no addresses' : 'addresses unknown'
    return `${orUnknown(name)}, ${orUnknown(mac)}: ${list}`
  }
  return typeof member === 'string' ? member : JSON.stringify(member)
}

const orUnknown = (value: unknown): string => (typeof value === 'string' ? value : 'unknown')

/** Memory is sold in powers of 1024, disks in powers of 1000. */
function sayBytes(value: unknown, system: 'binary' | 'decimal'): string | null {
  if (typeof value !== 'number') return null
  const [base, units] =
    system === 'binary'
      ? ([1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']] as const)
      : ([1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB']] as const)
  const power = value === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log(value) / Math.log(base)))
  const number = value / base ** power
  return `${power === 0 ? number : number.toFixed(1)} ${units[power] ?? ''}`
}
