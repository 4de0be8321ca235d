import type { Answer } from '../../api/client.ts'

export type AuditAction = Answer<'listAudit'>['records'][number]['action']

/** What was done, as one says it. */
export const ACTIONS: Record<AuditAction, string> = {
  'system.add': 'System added',
  'system.change': 'System changed',
  'system.archive': 'System archived',
  'system.restore': 'System restored',
  'key.enroll': 'Key enrolled',
  'key.approve': 'Key approved',
  'key.add': 'Key added',
  'key.deactivate': 'Key deactivated',
  'key.revoke': 'Key revoked',
  'flag.acknowledge': 'Flag acknowledged',
  'flake.add': 'Flake followed',
  'flake.change': 'Flake changed',
  'flake.archive': 'Flake archived',
  'flake.sync': 'Git asked',
  'commit.evaluate': 'Evaluation asked for',
  'evaluation.retry': 'Evaluation tried again',
  'enroll-token.create': 'Enrolment token made',
  'enroll-token.revoke': 'Enrolment token revoked',
  'token.create': 'API token made',
  'token.revoke': 'API token revoked',
  'user.add': 'User added',
  'user.change': 'User changed',
  'user.role': 'Role changed',
  'user.password': 'Password set',
  'user.password-link': 'Password link made',
  'user.disable': 'User disabled',
  'user.enable': 'User enabled',
  'user.remove': 'User removed',
  'session.start': 'Signed in',
  'session.end': 'Signed out',
}

export function isAuditAction(value: unknown): value is AuditAction {
  return typeof value === 'string' && Object.hasOwn(ACTIONS, value)
}
