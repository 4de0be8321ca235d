/**
 * The host's own IPv4 addresses from /proc/net/fib_trie: leaves `|-- 192.0.2.7` with a line `/32 host LOCAL`. The file
 * prints the local table twice where both tables share a trie. Interfaces and prefix lengths are not in it.
 */
export function parseLocalIpv4(text: string): string[] {
  const addresses = new Set<string>()
  let leaf = ''
  for (const line of text.split('\n')) {
    leaf = /^\s+\|-- (\d{1,3}(?:\.\d{1,3}){3})$/.exec(line)?.[1] ?? leaf
    if (leaf !== '' && /^\s+\/32 host LOCAL$/.test(line)) addresses.add(leaf)
  }
  return [...addresses]
}
