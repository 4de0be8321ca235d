/** os-release(5): shell assignments, one a line, values bare or in quotes. */
export function parseOsRelease(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Z0-9_]+)=(.*?)\s*$/.exec(line)
    if (match !== null) fields.set(match[1] ?? '', unquote(match[2] ?? ''))
  }
  return fields
}

/** In double quotes a backslash escapes `"`, `$`, `` ` `` and itself; in single quotes nothing. */
function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value)
  if (quoted === null) return value
  return quoted[1] === "'" ? (quoted[2] ?? '') : (quoted[2] ?? '').replace(/\\(["$`\\])/g, '$1')
}

/** A distribution made of NixOS (`system.nixos.distroId`) has an ID of its own and `nixos` in ID_LIKE. */
export function isNixos(osRelease: Map<string, string>): boolean {
  const ids = `${osRelease.get('ID') ?? ''} ${osRelease.get('ID_LIKE') ?? ''}`
  return ids.split(/\s+/).includes('nixos')
}
