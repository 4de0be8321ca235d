import {
  DRIFT,
  FLAGS,
  LIVENESS,
  type DriftState,
  type FlagName,
  type LivenessState,
} from '../../ui/states.ts'

/** What of the list is shown; each filter is in the address, so that a link shows the same. */
export interface SystemsSearch {
  text?: string
  liveness?: LivenessState
  drift?: DriftState
  standing?: DriftState
  flag?: FlagName
  flake?: number
  environment?: string
  registration?: 'active' | 'pending' | 'keyless' | 'archived'
  sort?: 'hostname' | 'drift' | 'since' | 'last_contact'
}

export const REGISTRATIONS = {
  active: 'Active',
  pending: 'Waits for approval',
  keyless: 'Without key',
  archived: 'Archived',
} as const
export const SORTS = {
  hostname: 'By name',
  drift: 'The worst first',
  since: 'The longest so first',
  last_contact: 'The longest silent first',
} as const

export function isFiltered(search: SystemsSearch): boolean {
  return Object.keys(search).some((name) => name !== 'sort')
}

/** Takes what is valid of an address that anybody may have written. */
export function systemsSearch(given: Record<string, unknown>): SystemsSearch {
  return {
    ...text('text', given, 253),
    ...oneOf('liveness', given, LIVENESS),
    ...oneOf('drift', given, DRIFT),
    ...oneOf('standing', given, DRIFT),
    ...oneOf('flag', given, FLAGS),
    ...(Number.isSafeInteger(given['flake']) &&
      Number(given['flake']) > 0 && { flake: Number(given['flake']) }),
    ...text('environment', given, 256),
    ...oneOf('registration', given, REGISTRATIONS),
    ...oneOf('sort', given, SORTS),
  }
}

function text<Key extends string>(
  key: Key,
  given: Record<string, unknown>,
  most: number,
): { [K in Key]?: string } {
  const value = given[key]
  if (typeof value !== 'string' && typeof value !== 'number') return {}
  const trimmed = String(value).trim().slice(0, most)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed key loses its type
  return trimmed === '' ? {} : ({ [key]: trimmed } as { [K in Key]?: string })
}

function oneOf<Key extends string, Choices extends object>(
  key: Key,
  given: Record<string, unknown>,
  choices: Choices,
): { [K in Key]?: keyof Choices } {
  const value = given[key]
  if (typeof value !== 'string' || !Object.hasOwn(choices, value)) return {}
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed key loses its type
  return { [key]: value } as { [K in Key]?: keyof Choices }
}
