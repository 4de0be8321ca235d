import { Type } from 'typebox'
import { DRIFT_STATES } from '../../fleet/drift.ts'
import type { CommitName, ShownDrift } from '../../store/drift-columns.ts'
import { BooleanOrNull, IntegerOrNull, oneOf, TextOrNull, Time } from './schemas.ts'

const CommitOrNull = Type.Unsafe<CommitName | null>({
  type: ['object', 'null'],
  properties: {
    id: Type.Integer(),
    flake_id: Type.Integer({ description: 'Not always that of the system' }),
    sha: Type.String(),
    subject: TextOrNull,
    position: { ...IntegerOrNull, description: 'Counted from the first commit; null: not on the branch' },
  },
  required: ['id', 'flake_id', 'sha', 'subject', 'position'],
})

const members = {
  state: oneOf(DRIFT_STATES),
  since: Time,
  standing: {
    ...oneOf(DRIFT_STATES),
    description: 'Against the newest good commit: a push does not change it',
  },
  standing_since: Time,
  reason: { ...TextOrNull, description: 'searching, not_in_flake or unreadable' },
  running_path: TextOrNull,
  desired_path: TextOrNull,
  running_commit: CommitOrNull,
  desired_commit: CommitOrNull,
  head_commit: CommitOrNull,
  specialisation: { ...TextOrNull, description: 'The one it runs' },
  configuration: { ...TextOrNull, description: 'Of wrong_configuration: whose system it runs' },
  commits_behind: { ...IntegerOrNull, description: 'Later commits that change what it has to run' },
  commits_unknown: { ...IntegerOrNull, description: 'Commits between without a result' },
}

/** Null for an archived system. */
export const DriftOrNull = Type.Unsafe<ShownDrift | null>(objectOrNull(members))

export const DriftDetailOrNull = Type.Unsafe<(ShownDrift & { embeds_revision: boolean | null }) | null>(
  objectOrNull({
    ...members,
    embeds_revision: {
      ...BooleanOrNull,
      description: 'Whether every commit changes its path: it sets system.configurationRevision',
    },
  }),
)

function objectOrNull(properties: Record<string, object>) {
  return { type: ['object', 'null'], properties, required: Object.keys(properties) }
}
