import { Command, Option } from 'commander'
import { DRIFT_STATES } from '../../fleet/drift.ts'
import { FLAGS } from '../../fleet/flags.ts'
import { LIVENESS } from '../../fleet/liveness.ts'
import type { ApiListedSystem, SystemFilter } from '../api.ts'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import { driftWord } from '../drift-texts.ts'
import { findFlake, FLAKE_ARGUMENT } from '../flakes/find-flake.ts'
import { type Column, printJson, printTable } from '../output.ts'
import { formatAge } from '../times.ts'

const SORTS = ['hostname', 'drift', 'since', 'last_contact']
const REGISTRATIONS = ['active', 'pending', 'keyless', 'archived']

export function createListCommand(): Command {
  const command = new Command('list')
    .summary('all systems, or those that pass the filters')
    .description(
      'Lists the systems in the order of their names, or another. Archived ones only with --registration archived.',
    )
    .addOption(new Option('--liveness <liveness>', 'only these').choices(LIVENESS))
    .addOption(new Option('--drift <state>', 'only those of this state').choices(DRIFT_STATES))
    .addOption(
      new Option(
        '--standing <state>',
        'only those that stand so to the newest commit with a good evaluation',
      ).choices(DRIFT_STATES),
    )
    .option('--flake <flake>', `only those of this flake: ${FLAKE_ARGUMENT}`)
    .addOption(new Option('--flag <flag>', 'only those that have it').choices(FLAGS))
    .option('--environment <name>', 'only those of this environment')
    .addOption(
      new Option('--registration <registration>', 'whether they may report: keyless have no key yet').choices(
        REGISTRATIONS,
      ),
    )
    .option('--text <text>', 'only those with this in their host name')
    .addOption(
      new Option(
        '--sort <order>',
        'drift: the worst first; since: what stands so the longest first; last_contact: the longest silent first',
      ).choices(SORTS),
    )
  return withApiOptions(command).action(
    async ({
      liveness,
      drift,
      standing,
      flake,
      flag,
      environment,
      registration,
      text,
      sort,
      ...options
    }: ApiOptions & SystemFilter & { sort?: string }) => {
      const api = openApi(options)
      const flakeId = flake === undefined ? undefined : String((await findFlake(api, flake)).id)
      const filter = definedOnly({
        liveness,
        drift,
        standing,
        flake: flakeId,
        flag,
        environment,
        registration,
        text,
      })
      const systems = await api.listAllSystems({ ...filter, ...(sort !== undefined && { sort }) })
      if (options.json) printJson({ systems })
      else printTable(columns(api.serverTime()), systems, emptyText(filter))
    },
  )
}

const columns = (now: number): Column<ApiListedSystem>[] => [
  { header: 'hostname', value: ({ hostname }) => hostname },
  { header: 'environment', value: ({ environment }) => environment },
  { header: 'liveness', value: ({ liveness }) => liveness },
  { header: 'drift', value: ({ drift }) => driftWord(drift) },
  { header: 'last contact', value: ({ last_contact }) => formatAge(last_contact, now) },
  { header: 'nixos', value: ({ nixos_version }) => nixos_version },
  { header: 'registration', value: ({ registration }) => registration },
  { header: 'flags', value: ({ flags }) => (flags.length === 0 ? null : flags.join(', ')) },
]

function definedOnly(filter: { [Name in keyof SystemFilter]: string | undefined }): SystemFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
}

function emptyText(filter: SystemFilter): string {
  return Object.keys(filter).length > 0
    ? 'no system passes these filters'
    : 'no systems yet: add one with `crystal-forge systems add HOST`, or let agents enrol'
}
