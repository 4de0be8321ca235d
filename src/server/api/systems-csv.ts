import type { SystemListRow } from '../../store/system-list.ts'

export const SYSTEM_CSV_COLUMNS = [
  'hostname',
  'environment',
  'registration',
  'declared',
  'liveness',
  'last_contact',
  'state',
  'since',
  'standing',
  'standing_since',
  'reason',
  'commits_behind',
  'commits_unknown',
  'running_path',
  'desired_path',
  'running_commit',
  'desired_commit',
  'head_commit',
  'specialisation',
  'configuration',
  'nixos_version',
  'flags',
]

/** The cells of one system; those of drift are empty for an archived one. */
export function systemCells(row: SystemListRow) {
  const { drift } = row
  return [
    row.hostname,
    row.environment,
    row.registration,
    row.declared,
    row.liveness,
    row.last_contact,
    drift?.state ?? null,
    drift?.since ?? null,
    drift?.standing ?? null,
    drift?.standing_since ?? null,
    drift?.reason ?? null,
    drift?.commits_behind ?? null,
    drift?.commits_unknown ?? null,
    drift?.running_path ?? row.current_system,
    drift?.desired_path ?? null,
    drift?.running_commit?.sha ?? null,
    drift?.desired_commit?.sha ?? null,
    drift?.head_commit?.sha ?? null,
    drift?.specialisation ?? null,
    drift?.configuration ?? null,
    row.nixos_version,
    row.flags.join(' '),
  ]
}
