const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/** Bytes of a size such as `512MiB` or `8GiB`. Throws an Error that says what is accepted. */
export function parseSize(text: string): number {
  const match = /^(\d{1,16}) ?([A-Za-z]{1,3})$/.exec(text)
  const bytes = match ? Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN) : Number.NaN
  if (!Number.isSafeInteger(bytes)) {
    throw new Error(
      'must be a whole number and a unit (B, KiB, MiB, GiB, TiB, kB, MB, GB or TB), such as "8GiB"',
    )
  }
  return bytes
}

/** The text in the largest binary unit that `parseSize` turns back into exactly `bytes` (whole, not negative). */
export function formatSize(bytes: number): string {
  const unit = ['TiB', 'GiB', 'MiB', 'KiB'].find((name) => bytes > 0 && bytes % (UNITS[name] ?? 1) === 0)
  return unit === undefined ? `${bytes}B` : `${bytes / (UNITS[unit] ?? 1)}${unit}`
}
