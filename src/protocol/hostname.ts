/**
 * What a system may be registered under, as its name stands in URLs, logs and terminals: letters, digits, `-` and `_` in labels of up to 63 (RFC 1123,
 * section 2.1), 253 characters at most. A host name that a report states is a fact and may be anything.
 */
export const HOSTNAME_PATTERN =
  '^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$'
