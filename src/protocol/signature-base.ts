/** Marks the one signature of a request that is ours (RFC 9421, section 2.3, `tag`). */
export const AGENT_TAG = 'crystal-forge-agent'

/** What an agent's signature covers, in the order in which agents name it. */
export const COMPONENTS = ['@method', '@authority', '@path', 'content-digest'] as const
export type Component = (typeof COMPONENTS)[number]

/** The list of components as agents send it: the beginning of the signature's parameters. */
export const COVERED_LIST = `(${COMPONENTS.map((component) => `"${component}"`).join(' ')})`

/** The values of the four components: evidence keeps them beside the signature, so that it can be checked later. */
export interface Covered {
  method: string
  authority: string
  path: string
  contentDigest: string
}

/**
 * The signature base (RFC 9421, section 2.5): one line a component, then the parameters. `parameters` is the
 * serialised inner list with its parameters, the same text that stands in `Signature-Input` after the label. All of it is
 * ASCII: the headers are checked to be, so the bytes that are signed are the same in every encoding.
 */
export function signatureBase(
  lines: readonly (readonly [name: string, value: string])[],
  parameters: string,
): string {
  const text = lines.map(([name, value]) => `"${name}": ${value}\n`).join('')
  return `${text}"@signature-params": ${parameters}`
}

/** The lines of an agent's signature base, in the order of `components`. */
export function coveredLines(components: readonly Component[], covered: Covered): [Component, string][] {
  const values: Record<Component, string> = {
    '@method': covered.method,
    '@authority': covered.authority,
    '@path': covered.path,
    'content-digest': covered.contentDigest,
  }
  return components.map((component) => [component, values[component]])
}

/**
 * `@authority`: a Host in lower case and without the default port (RFC 9421, section 2.2.3). Both default ports are
 * taken off: behind a proxy that ends TLS a server cannot tell which scheme its agent used.
 */
export function canonicalAuthority(host: string): string {
  return host.toLowerCase().replace(/:(?:443|80)$/, '')
}
