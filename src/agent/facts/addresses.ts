import { networkInterfaces } from 'node:os'
import type { Root } from '../root.ts'
import { parseLocalIpv4 } from './fib-trie.ts'
import { parseIpv6Addresses, type InterfaceAddress } from './if-inet6.ts'
import { inSameNetwork, ipv4ToNumber, isLocalOnlyIpv4 } from './ipv4.ts'
import type { Notes } from './notes.ts'
import { readUnlessAbsent } from './read.ts'
import type { Route } from './route.ts'

/**
 * Lasting addresses with prefix length, of all interfaces.
 *
 * No file says which interface has which IPv4 address. /proc/net/fib_trie has all addresses and works on a captured
 * tree; the route to the network an address lies in gives interface and prefix length. That is not enough for two
 * interfaces in one network, nor for the /32 addresses that cloud providers hand out, so a live kernel is asked
 * too. It alone would not do: Node leaves out interfaces without a carrier, and a pulled cable is no new configuration.
 */
export async function readAddresses(root: Root, routes: Route[], notes: Notes): Promise<InterfaceAddress[]> {
  const known = (await root.isLive('/proc')) ? await askKernel(notes) : []
  const readLocal = async () => parseLocalIpv4(await root.readText('/proc/net/fib_trie'))
  // On a router with the routes of the whole internet the file is too large, and the kernel's answer has to do.
  const local = known.length === 0 ? await readLocal() : await notes.attempt('network.interfaces', readLocal)
  const { assigned, ambiguous } = assignIpv4(local ?? [], known, routes)
  if (ambiguous.length > 0) {
    notes.add('network.interfaces', `nothing tells which interface has ${ambiguous.join(', ')}`)
  }
  return [...assigned, ...(await readIpv6(root))]
}

/** Needs AF_NETLINK, which a sandbox may forbid; the routes are then what is left. */
async function askKernel(notes: Notes): Promise<InterfaceAddress[]> {
  return (await notes.attempt('network.interfaces', () => kernelIpv4(networkInterfaces()))) ?? []
}

/** Node names an address by its label, `eth0:1`, where it has one. */
export function kernelIpv4(interfaces: ReturnType<typeof networkInterfaces>): InterfaceAddress[] {
  return Object.entries(interfaces).flatMap(([label, addresses]) =>
    (addresses ?? []).flatMap(({ family, cidr }) =>
      family === 'IPv4' && cidr !== null ? [{ interface: label.replace(/:.*$/, ''), address: cidr }] : [],
    ),
  )
}

/** `ambiguous`: the local addresses that neither `known` nor exactly one interface's route accounts for. */
export function assignIpv4(
  local: string[],
  known: InterfaceAddress[],
  routes: Route[],
): { assigned: InterfaceAddress[]; ambiguous: string[] } {
  const assigned = known.filter(({ address }) => !isLocalOnlyIpv4(address))
  const accounted = new Set(assigned.map(({ address }) => address.replace(/\/.*$/, '')))
  const ambiguous: string[] = []
  for (const address of local) {
    if (isLocalOnlyIpv4(address) || accounted.has(address)) continue
    const network = connectedNetwork(address, routes)
    if (network === null) ambiguous.push(address)
    else assigned.push({ interface: network.interface, address: `${address}/${network.prefix}` })
  }
  return { assigned, ambiguous }
}

/** The narrowest directly connected network that holds the address, unless two interfaces share it. */
function connectedNetwork(address: string, routes: Route[]): Route | null {
  const number = ipv4ToNumber(address)
  const networks = routes.filter(
    ({ destination, prefix, gateway }) =>
      gateway === null && prefix > 0 && inSameNetwork(number, destination, prefix),
  )
  const narrowest = Math.max(...networks.map(({ prefix }) => prefix))
  const candidates = networks.filter(({ prefix }) => prefix === narrowest)
  const [network] = candidates
  const unique = new Set(candidates.map((candidate) => candidate.interface)).size === 1
  return network !== undefined && unique ? network : null
}

/** Without IPv6 in the kernel (`ipv6.disable=1`) there is no such file, and no address. */
async function readIpv6(root: Root): Promise<InterfaceAddress[]> {
  return readUnlessAbsent(
    async () => parseIpv6Addresses(await root.readText('/proc/net/if_inet6')),
    async () => {
      await root.readText('/proc/net/dev')
      return []
    },
  )
}
