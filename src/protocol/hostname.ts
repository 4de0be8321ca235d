/** A host name as a system may be registered under: letters, digits, `-` and `_` in labels of up to 63 (RFC 1123, section 2.1). */
export const HOSTNAME_PATTERN =
  '^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$'

const hostname = new RegExp(HOSTNAME_PATTERN)

export function isHostname(text: string): boolean {
  return hostname.test(text)
}
