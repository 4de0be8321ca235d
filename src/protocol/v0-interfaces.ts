import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { nullable, type Fingerprint } from './facts.ts'
import { findFlaw } from './json.ts'
import { MAX_ADDRESS_TEXT, MAX_ADDRESSES, MAX_INTERFACES, MAX_TEXT } from './limits.ts'

type Interfaces = NonNullable<Fingerprint['network']['interfaces']>

const Interface = Type.Object({
  name: Type.String({ maxLength: MAX_TEXT }),
  mac_address: Type.Optional(nullable(Type.String({ maxLength: MAX_TEXT }))),
  ip_addresses: Type.Optional(nullable(Type.Array(Type.String({ maxLength: MAX_ADDRESS_TEXT })))),
})
type Interface = Static<typeof Interface>

const interfaces = Compile(Type.Array(Interface))

/**
 * Interfaces that come and go with containers, virtual machines and tunnels. Version 0 agents report them, and each would
 * make a changed state; version 1 agents look for a device behind an interface, here only the name is left.
 */
const VOLATILE =
  /^(?:lo|veth.*|docker\d+|br-[0-9a-f]{12}|podman\d+|cni\d+|cali.*|flannel.*|virbr\d+|vnet\d+|tun\d+|tap\d+)$/

/** IPv4 and IPv6 link-local addresses (RFC 3927, RFC 4291). */
const LINK_LOCAL = /^(?:169\.254\.|fe[89ab][0-9a-f]:)/i

/**
 * The interfaces of `network_interfaces`: JSON, or a text holding JSON. Null when it is not what version 0 sends: one fact
 * that cannot be read does not cost the report. Sorted, since version 0 agents list them in any order.
 */
export function readVersion0Interfaces(field: unknown): Interfaces | null {
  const found = typeof field === 'string' ? parseText(field) : field
  if (!interfaces.Check(found)) return null
  const kept = found.filter(({ name }) => !VOLATILE.test(name)).map(toInterface)
  return kept.length > MAX_INTERFACES ? null : kept.toSorted((a, b) => compare(a.name ?? '', b.name ?? ''))
}

function parseText(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return findFlaw(text, value) === null ? value : null
  } catch {
    // Version 0 agents have sent other texts here; the body is kept as evidence either way.
    return null
  }
}

function toInterface({ name, mac_address, ip_addresses }: Interface): Interfaces[number] {
  const addresses = ip_addresses?.filter((address) => !LINK_LOCAL.test(address)).toSorted(compare)
  return {
    name,
    mac_address: mac_address ?? null,
    addresses: addresses === undefined || addresses.length > MAX_ADDRESSES ? null : addresses,
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
