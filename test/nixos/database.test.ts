import { writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  createEmbedded,
  createStateDirectory,
  postmasterPid,
  query,
} from '../store/embedded-postgres/support.ts'
import { waitFor } from '../support/wait.ts'
import { evaluateConfiguration, exampleConfiguration } from './support/nix.ts'

test('a local database lets in, without a password, the users of server and evaluator and nobody else', async () => {
  const { postgresql } = await evaluateConfiguration(await exampleConfiguration('server'))
  const stateDir = await createStateDirectory()
  const connection = await createEmbedded(stateDir).start()
  const pid = await postmasterPid(stateDir)
  const useMap = async (map: string): Promise<void> => {
    await writeFile(join(stateDir, 'postgres/data/pg_ident.conf'), map)
    process.kill(pid, 'SIGHUP')
  }
  const isLetIn = (): Promise<boolean> =>
    query({ ...connection, password: null }, 'select current_user as role').then(
      (rows) => rows[0]?.['role'] === 'crystal_forge',
      () => false,
    )

  await writeFile(join(stateDir, 'postgres/data/pg_hba.conf'), String(postgresql['authentication']))
  const map = String(postgresql['identMap'])
  for (const user of ['crystal_forge', 'crystal_forge_evaluator']) {
    // The users of the units do not exist here: who runs the test takes the place of one.
    const asOurselves = map.replace(`crystal_forge ${user} `, `crystal_forge ${userInfo().username} `)
    await useMap(asOurselves)
    await waitFor(isLetIn, { what: `a connection as ${user}` })
    await useMap(map)
    await waitFor(async () => !(await isLetIn()), { what: 'a refusal' })
  }
  expect(map.trim().split('\n')).toHaveLength(2)
})
