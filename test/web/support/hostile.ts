import type { Client } from 'pg'
import { withClient } from '../../../src/store/database.ts'
import type { TestServer } from '../../support/test-server.ts'

/** Markup, a mark that turns the direction of what follows, and 10 kB without a space to break at. */
export const HOSTILE = `<img src=x onerror=alert(1)>\u202Eesrever\u202C${'long'.repeat(2560)}`

/** Every column whose text people, hosts, Git, Nix or a proxy choose. */
const TEXTS = {
  api_tokens: ['name'],
  audit: ['actor_name', 'address', 'subject_name'],
  commits: ['author', 'subject', 'nix_version', 'error'],
  drift: ['specialisation', 'configuration'],
  enroll_tokens: ['name', 'environment', 'flake_url'],
  evaluated_paths: ['configuration', 'specialisation'],
  evaluations: [
    'configuration',
    'error',
    'kernel_version',
    'nix_version',
    'nixos_version',
    'platform',
    'state_version',
  ],
  facts: ['hostname'],
  flakes: ['url', 'repository', 'directory', 'branch', 'head_branch', 'sync_error'],
  instances: ['host', 'version'],
  job_runs: ['error'],
  sessions: ['address'],
  systems: ['environment', 'configuration'],
  users: ['name', 'display_name'],
  webhook_deliveries: ['delivery', 'event', 'repository', 'ref', 'after', 'reason'],
}

/** What holds texts deeper within. */
const OBJECTS = [
  `update audit set before = jsonb_build_object('environment', null, 'name', $1::text),
     after = jsonb_build_object('environment', $1::text, 'name', 'known')`,
  `update facts set fingerprint = jsonb_set(jsonb_set(jsonb_set(fingerprint, '{hardware,product_name}', to_jsonb($1::text)),
     '{software,nixos_version}', to_jsonb($1::text)), '{network,interfaces,0,name}', to_jsonb($1::text))`,
  `update commits set inputs = jsonb_build_array(jsonb_build_object('name', $1::text, 'type', $1::text, 'url', $1::text,
     'revision', $1::text, 'last_modified', null))`,
  `insert into flags (system_id, flag, since, details)
   select id, 'hostname_changed', now(), jsonb_build_object('registered', hostname, 'reported', $1::text) from systems`,
]

/** Puts the hostile text wherever the database has one, past the checks of the API: other versions may have had none. */
export async function makeHostile({ connection }: TestServer): Promise<void> {
  await withClient(connection, 'a test', async (client: Client) => {
    // what the audit trail holds cannot be changed otherwise
    await client.query('set session_replication_role = replica')
    for (const [table, columns] of Object.entries(TEXTS))
      for (const column of columns)
        await client.query(`update ${table} set ${column} = $1::text || ctid where ${column} is not null`, [
          HOSTILE,
        ])
    for (const statement of OBJECTS) await client.query(statement, [HOSTILE])
    // those that are null until something goes wrong
    await client.query('update flakes set sync_failed_at = now(), sync_error = $1::text', [HOSTILE])
    await client.query('update job_runs set failed_at = now(), error = $1::text', [HOSTILE])
  })
}
