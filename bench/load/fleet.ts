import type { Client } from 'pg'
import { hostnameOf, keyOf } from './requests.ts'

/** Registers the systems of the load with their keys, as an operator would have; they have not reported yet. */
export async function registerSystems(client: Client, systems: number): Promise<void> {
  const numbers = Array.from({ length: systems }, (_, system) => system)
  const keys = numbers.map((system) => keyOf(system))
  await client.query(
    `with added as (
       insert into systems (hostname) select unnest($1::text[]) returning id, hostname, created_at
     ),
     contact as (insert into contacts (system_id) select id from added),
     stands as (
       insert into drift (system_id, state, since, standing, standing_since)
       select id, 'no_report', created_at, 'no_report', created_at from added
     )
     insert into keys (id, system_id, public_key, status)
     select k.id, added.id, k.public_key, 'active'
     from unnest($1::text[], $2::text[], $3::bytea[]) k (hostname, id, public_key) join added using (hostname)`,
    [numbers.map(hostnameOf), keys.map((key) => key.id), keys.map((key) => key.publicKey)],
  )
  await client.query('vacuum analyze')
}
