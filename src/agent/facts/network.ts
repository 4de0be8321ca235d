import type { Fingerprint } from '../../protocol/facts.ts'
import { isAbsent, type Root } from '../root.ts'
import { readAddresses } from './addresses.ts'
import type { InterfaceAddress } from './if-inet6.ts'
import { inSameNetwork, ipv4ToNumber } from './ipv4.ts'
import { isLinkLocalIpv6 } from './ipv6.ts'
import { parseIpv6DefaultRoutes, type DefaultRoute } from './ipv6-route.ts'
import type { Notes } from './notes.ts'
import { readFirst, readUnlessAbsent } from './read.ts'
import { parseIpv4Routes, type Route } from './route.ts'

type Network = Fingerprint['network']
type Interface = NonNullable<Network['interfaces']>[number]
type Primary = NonNullable<Network['primary']>

const CLASS = '/sys/class/net'
const MAX_INTERFACES = 128
const MAX_ADDRESSES = 32
const MAX_GATEWAYS = 32

export async function readNetwork(root: Root, notes: Notes): Promise<Network> {
  const routes = await notes.attempt('network.gateways', async () => readRoutes(root))
  const addresses = await notes.attempt('network.interfaces', () =>
    readAddresses(root, routes?.ipv4 ?? [], notes),
  )
  return {
    interfaces: await notes.attempt('network.interfaces', () => readInterfaces(root, notes, addresses)),
    primary: await notes.attempt('network.primary', () =>
      readPrimary(root, notes, routes?.defaults, addresses),
    ),
    gateways:
      routes === null ? null : notes.bound('network.gateways', gatewaysOf(routes.defaults), MAX_GATEWAYS),
  }
}

/** `defaults`: the ones that win first. */
async function readRoutes(root: Root): Promise<{ ipv4: Route[]; defaults: DefaultRoute[] }> {
  const ipv4 = parseIpv4Routes(await root.readText('/proc/net/route'))
  const ipv6 = await readUnlessAbsent(
    async () => parseIpv6DefaultRoutes(await root.readText('/proc/net/ipv6_route')),
    () => [],
  )
  const ipv4Defaults = ipv4.flatMap((route) => (route.prefix === 0 ? [{ ...route, family: 4 as const }] : []))
  return { ipv4, defaults: [...ipv4Defaults.sort(byMetric), ...ipv6.sort(byMetric)] }
}

function byMetric(a: DefaultRoute, b: DefaultRoute): number {
  return a.metric - b.metric || (a.interface < b.interface ? -1 : 1)
}

/** Routers that announce themselves do it with link-local addresses, which the report leaves out. */
function gatewaysOf(defaults: DefaultRoute[]): string[] {
  const gateways = defaults.flatMap(({ gateway }) =>
    gateway === null || isLinkLocalIpv6(gateway) ? [] : [gateway],
  )
  return [...new Set(gateways)].sort()
}

/** The interfaces with a device behind them: no lo, veth, bridge, tunnel, bond or VLAN. */
async function readInterfaces(
  root: Root,
  notes: Notes,
  addresses: InterfaceAddress[] | null,
): Promise<Interface[]> {
  const names = (await root.list(CLASS)).sort()
  const withDevice = await Promise.all(names.map((name) => hasDevice(root, name)))
  const kept = notes.bound(
    'network.interfaces',
    names.filter((_, index) => withDevice[index]),
    MAX_INTERFACES,
  )
  return Promise.all(
    kept.map(async (name) => {
      const fact = `network.interfaces.${name}`
      return {
        name: await notes.text(`${fact}.name`, () => name),
        mac_address: await notes.text(`${fact}.mac_address`, () => readMac(root, name)),
        addresses:
          addresses === null
            ? null
            : notes.bound(`${fact}.addresses`, addressesOf(name, addresses), MAX_ADDRESSES),
      }
    }),
  )
}

/** The directory also has plain files, `bonding_masters`. */
async function hasDevice(root: Root, name: string): Promise<boolean> {
  try {
    await root.readLink(`${CLASS}/${name}/device`)
    return true
  } catch (error) {
    return !isAbsent(error)
  }
}

/**
 * The lasting address where the kernel shows it: a bond's members all take the bond's, and a Wi-Fi interface
 * takes random ones while it scans.
 */
function readMac(root: Root, name: string): Promise<string> {
  const files = ['bonding_slave/perm_hwaddr', 'phy80211/macaddress', 'address']
  return readFirst(
    root,
    files.map((file) => `${CLASS}/${name}/${file}`),
  )
}

function addressesOf(name: string, addresses: InterfaceAddress[]): string[] {
  const own = addresses.filter((entry) => entry.interface === name).map(({ address }) => address)
  return [...new Set(own)].sort()
}

/** The interface that packets to anywhere leave by: it may be a bond, a VLAN or a bridge. */
async function readPrimary(
  root: Root,
  notes: Notes,
  defaults: DefaultRoute[] | undefined,
  addresses: InterfaceAddress[] | null,
): Promise<Primary> {
  if (defaults === undefined) throw new Error('the routes are not known')
  const [route] = defaults
  if (route === undefined) throw new Error('there is no default route')
  const name = route.interface
  return {
    interface: await notes.text('network.primary.interface', () => name),
    mac_address: await notes.text('network.primary.mac_address', () => readMac(root, name)),
    address: await notes.text('network.primary.address', () => {
      if (addresses === null) throw new Error('the addresses are not known')
      return primaryAddress(route, addressesOf(name, addresses))
    }),
  }
}

/** The address in the gateway's network, else the first of the route's family, else the first. */
function primaryAddress({ family, gateway, interface: name }: DefaultRoute, addresses: string[]): string {
  const ownFamily = addresses.filter((address) => isIpv6(address) === (family === 6))
  const chosen =
    ownFamily.find((address) => family === 4 && gateway !== null && holds(address, gateway)) ??
    ownFamily[0] ??
    addresses[0]
  if (chosen === undefined) throw new Error(`${name} has no lasting address`)
  return chosen.replace(/\/.*$/, '')
}

function isIpv6(address: string): boolean {
  return address.includes(':')
}

function holds(network: string, address: string): boolean {
  const [base = '', prefix] = network.split('/')
  return inSameNetwork(ipv4ToNumber(base), ipv4ToNumber(address), Number(prefix))
}
