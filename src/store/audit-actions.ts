/** What the audit trail has records of. A name stays once it is used: records keep it for years. */
export const AUDIT_ACTIONS = [
  'system.add',
  'system.change',
  'system.archive',
  'system.restore',
  'key.enroll',
  'key.approve',
  'key.add',
  'key.deactivate',
  'key.revoke',
  'flag.acknowledge',
  'flake.add',
  'flake.change',
  'flake.archive',
  'flake.sync',
  'commit.evaluate',
  'evaluation.retry',
  'enroll-token.create',
  'enroll-token.revoke',
  'token.create',
  'token.revoke',
  'user.add',
  'user.change',
  'user.role',
  'user.password',
  'user.password-link',
  'user.disable',
  'user.enable',
  'user.remove',
  'session.start',
  'session.end',
] as const
export type AuditAction = (typeof AUDIT_ACTIONS)[number]

export const ACTOR_KINDS = ['user', 'token', 'agent', 'configuration', 'command', 'system'] as const
export type ActorKind = (typeof ACTOR_KINDS)[number]
