/** The host that is waited for, so that a reload goes on waiting. */
export interface FirstHostSearch {
  host?: string
}

export function firstHostSearch({ host }: Record<string, unknown>): FirstHostSearch {
  const name = typeof host === 'string' || typeof host === 'number' ? String(host).trim().slice(0, 253) : ''
  return name === '' ? {} : { host: name }
}
