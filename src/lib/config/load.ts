import type { Checked } from './check.ts'
import { inspectConfig, type Inspection, type LoadOptions } from './inspect.ts'
import { httpUrl } from './network-kinds.ts'
import type { SectionName, SectionValues, TableName, TableValues } from './schema.ts'

export type DatabaseConfig = Omit<SectionValues<'database'>, 'host'> & { host: string }
export type ServerConfig = SectionValues<'server'>
/** `server_url` is the address that `server_host` and `server_port` give, where it is not given itself. */
export type ClientConfig = Omit<SectionValues<'client'>, 'server_host' | 'server_port' | 'server_url'> & {
  server_url: string
}
export type FlakeConfig = TableValues<'flakes'>
/** `public_keys` holds `public_key` too; `configuration` is the host name where it is not given. */
export type SystemConfig = Omit<TableValues<'systems'>, 'public_key' | 'configuration'> & {
  configuration: string
}

/** Members have the names of the file; durations are milliseconds, sizes are bytes, "" is null. */
export interface Config {
  /** The file that was read. */
  file: string | null
  /** Files with secrets in them that every user of the machine can read: each is worth a warning. */
  open_secrets: readonly string[]
  /** Null without a host: PostgreSQL is embedded. */
  database: DatabaseConfig | null
  /** `[database] max_connections`, which also holds for the embedded PostgreSQL. */
  max_connections: number
  server: ServerConfig
  oidc: SectionValues<'oidc'>
  /** Null when no server is given. */
  client: ClientConfig | null
  evaluator: SectionValues<'evaluator'>
  liveness: SectionValues<'liveness'>
  retention: SectionValues<'retention'>
  flakes: FlakeConfig[]
  systems: SystemConfig[]
}

/**
 * The configuration from file, environment and defaults, wholly checked. Throws a ConfigError that lists everything
 * that is wrong.
 */
export function loadConfig(options: LoadOptions & { part: 'agent' }): Config & { client: ClientConfig }
export function loadConfig(
  options: LoadOptions & { part: 'evaluator' },
): Config & { database: DatabaseConfig }
export function loadConfig(options: LoadOptions): Config
export function loadConfig(options: LoadOptions): Config {
  const inspection = inspectConfig(options)
  const section = <Name extends SectionName>(name: Name): SectionValues<Name> =>
    typed<SectionValues<Name>>(inspection.sections.get(name))
  const { host, ...database } = section('database')
  return {
    file: inspection.file,
    open_secrets: inspection.openSecrets,
    database: host === null ? null : { host, ...database },
    max_connections: database.max_connections,
    server: section('server'),
    oidc: section('oidc'),
    client: clientConfig(section('client')),
    evaluator: section('evaluator'),
    liveness: section('liveness'),
    retention: section('retention'),
    flakes: rows(inspection, 'flakes'),
    systems: rows(inspection, 'systems').map(systemConfig),
  }
}

function rows<Name extends TableName>({ tables }: Inspection, name: Name): TableValues<Name>[] {
  return (tables.get(name) ?? []).map((row) => typed<TableValues<Name>>(row))
}

/** The schema gives both the type and the checks of each key; that they belong together only this line asserts. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
function typed<T>(checked: Checked | undefined): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { ...checked?.values } as T
}

function clientConfig({
  server_host,
  server_port,
  server_url,
  ...rest
}: SectionValues<'client'>): ClientConfig | null {
  if (server_url !== null) return { ...rest, server_url }
  if (server_host === null) return null
  return { ...rest, server_url: new URL(httpUrl(server_host, server_port)).origin }
}

function systemConfig({
  public_key,
  public_keys,
  configuration,
  ...rest
}: TableValues<'systems'>): SystemConfig {
  return {
    ...rest,
    configuration: configuration ?? rest.hostname,
    public_keys: public_key === null ? public_keys : [public_key, ...public_keys],
  }
}
