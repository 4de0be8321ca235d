import type { Checked } from './check.ts'
import type { Given } from './merge.ts'
import { messageOf, type ConfigProblem } from './problems.ts'

export interface CheckedConfig {
  sections: ReadonlyMap<string, Checked>
  tables: ReadonlyMap<string, readonly Checked[]>
}

/** What a single value cannot show: keys that exclude, need or bound each other, and names given twice. */
export function checkRules({ sections, tables }: CheckedConfig): ConfigProblem[] {
  return [
    ...check(sections.get('database'), databaseRules),
    ...check(sections.get('server'), serverRules),
    ...check(sections.get('oidc'), oidcRules(sections.get('server'))),
    ...check(sections.get('client'), clientRules),
    ...check(sections.get('liveness'), livenessRules),
    ...systemRules(tables.get('systems') ?? []),
    ...(tables.get('systems') ?? []).flatMap((system) => check(system, oneSystemRules)),
    ...flakeRules(tables.get('flakes') ?? [], tables.get('systems') ?? []),
  ]
}

/** A rule about one section; `has` tells whether a key was given and is not empty. */
interface Facts {
  has: (key: string) => boolean
  value: (key: string) => unknown
  report: (key: string, message: string) => void
}

function check(checked: Checked | undefined, rules: (facts: Facts) => void): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (checked === undefined) return problems
  rules({
    has: (key) => isPresent(checked.given.get(key)) && checked.values[key] !== undefined,
    value: (key) => checked.values[key],
    report: (key, message) => problems.push(problemAt(checked, key, message)),
  })
  return problems
}

const isPresent = (given: Given | undefined): boolean =>
  given !== undefined && given.raw !== '' && given.raw !== null

function problemAt(checked: Checked, key: string, message: string): ConfigProblem {
  return { source: checked.given.get(key)?.source.name ?? '', path: `${checked.path}.${key}`, message }
}

function databaseRules({ has, value, report }: Facts): void {
  const needsHost = ['port', 'user', 'password', 'password_file', 'name', 'ssl', 'ca_file']
  const useless = needsHost.find(has)
  if (!has('host') && useless !== undefined) {
    report(useless, 'has no effect without database.host: without it the server runs a PostgreSQL of its own')
  }
  if (has('password') && has('password_file')) report('password_file', 'excludes password: give one of them')
  if (has('ca_file') && value('ssl') !== 'verify-full')
    report('ca_file', 'has no effect unless ssl is "verify-full"')
  const host = value('host')
  if (typeof host === 'string' && /(^|,)\//.test(host) && value('ssl') !== 'disable') {
    report('ssl', 'must be "disable" when host is a socket directory')
  }
}

function serverRules({ has, report }: Facts): void {
  if (has('tls_cert_file') && !has('tls_key_file')) report('tls_cert_file', 'needs tls_key_file too')
  if (has('tls_key_file') && !has('tls_cert_file')) report('tls_key_file', 'needs tls_cert_file too')
}

const ROLE_GROUPS = ['viewer_groups', 'operator_groups', 'admin_groups']

const oidcRules =
  (server: Checked | undefined) =>
  ({ has, value, report }: Facts): void => {
    if (!has('issuer')) {
      const useless = ['client_id', 'client_secret_file', ...ROLE_GROUPS].find(has)
      if (useless !== undefined) report(useless, 'has no effect without issuer')
      return
    }
    if (!has('client_id')) report('issuer', 'needs client_id too')
    if (server?.values['public_url'] === null)
      report('issuer', 'needs server.public_url too: the provider sends people back to it')
    if (ROLE_GROUPS.every((key) => !isFilled(value(key))))
      report('issuer', `needs groups, without which nobody gets in: one of ${ROLE_GROUPS.join(', ')}`)
    const scopes = value('scopes')
    if (Array.isArray(scopes) && !scopes.includes('openid')) report('scopes', 'must hold "openid"')
  }

const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0

function clientRules({ has, value, report }: Facts): void {
  if (has('server_url') && has('server_host')) report('server_host', 'excludes server_url: give one of them')
  if (has('server_url') && has('server_port'))
    report('server_port', 'belongs into server_url when that is given')
  const url = value('server_url')
  if (has('ca_file') && !(typeof url === 'string' && url.startsWith('https:'))) {
    report('ca_file', 'has no effect unless server_url begins with "https:"')
  }
}

function livenessRules({ value, report }: Facts): void {
  const [late, offline] = [value('late_after'), value('offline_after')]
  if (typeof late === 'number' && typeof offline === 'number' && late >= offline) {
    report('late_after', 'must be shorter than offline_after')
  }
}

function oneSystemRules({ has, report }: Facts): void {
  if (has('configuration') && !has('flake_url')) report('configuration', 'has no effect without flake_url')
}

function systemRules(systems: readonly Checked[]): ConfigProblem[] {
  const names = new Map<string, string>()
  const keys = new Map<string, string>()
  return systems.flatMap((system) => {
    const problems: ConfigProblem[] = []
    const { hostname } = system.values
    if (typeof hostname === 'string') {
      // DNS does not tell case apart, and an operator who reads two of them would not either.
      const other = firstOf(names, hostname.toLowerCase(), `${system.path}.hostname`)
      if (other !== undefined)
        problems.push(problemAt(system, 'hostname', `"${hostname}" is also the name in ${other}`))
    }
    for (const [member, key] of publicKeys(system)) {
      const other = firstOf(keys, key, `${system.path}.${member}`)
      if (other !== undefined) problems.push(problemAt(system, member, `the key is also given in ${other}`))
    }
    return problems
  })
}

function publicKeys({ values }: Checked): [string, string][] {
  const list = Array.isArray(values['public_keys']) ? values['public_keys'] : []
  const pairs: [string, unknown][] = [
    ['public_key', values['public_key']],
    ...list.map((key): [string, unknown] => ['public_keys', key]),
  ]
  return pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string')
}

function flakeRules(flakes: readonly Checked[], systems: readonly Checked[]): ConfigProblem[] {
  const seen = new Map<string, string>()
  const problems: ConfigProblem[] = []
  for (const flake of flakes) {
    const { url, branch } = flake.values
    if (typeof url !== 'string') continue
    const other = firstOf(seen, JSON.stringify([url, branch ?? null]), `${flake.path}.url`)
    if (other !== undefined)
      problems.push(problemAt(flake, 'url', `is also given in ${other}, with the same branch`))
  }
  for (const system of systems) {
    const branches = flakes.filter((flake) => flake.values['url'] === system.values['flake_url'])
    if (branches.length > 1) {
      problems.push(
        problemAt(system, 'flake_url', 'names a repository of which several branches are declared'),
      )
    }
  }
  return problems
}

/** Notes that `name` is used at `place`; returns where it was used before. */
function firstOf(places: Map<string, string>, name: string, place: string): string | undefined {
  const other = places.get(name)
  if (other === undefined) places.set(name, place)
  return other
}

/** What `checkUrl` throws for the address of a flake, of each that is given. */
export function flakeUrlProblems(
  { tables }: CheckedConfig,
  checkUrl: (url: string) => unknown,
): ConfigProblem[] {
  const given = [
    ...(tables.get('flakes') ?? []).map((checked) => ({ checked, key: 'url' })),
    ...(tables.get('systems') ?? []).map((checked) => ({ checked, key: 'flake_url' })),
  ]
  return given.flatMap(({ checked, key }) => {
    const url = checked.values[key]
    if (typeof url !== 'string') return []
    try {
      checkUrl(url)
      return []
    } catch (error) {
      return [problemAt(checked, key, messageOf(error))]
    }
  })
}
