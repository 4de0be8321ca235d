import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createBrowserSession } from '../../support/browser-session.ts'
import { createTestDatabase } from '../../support/database.ts'
import { startOidcProvider } from '../../support/oidc-provider.ts'
import { startServer } from '../../support/server-process.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const FORGE = 'https://forge.test'

test('a server signs people in as its configuration says', async () => {
  const idp = await startOidcProvider({ redirectUri: `${FORGE}/auth/oidc/callback` })
  onTestFinished(idp.close)
  idp.account = { sub: '1', preferred_username: 'alice', groups: ['infra'] }
  const { connection, drop } = await createTestDatabase()
  const cwd = await temporaryDirectory()
  await writeFile(join(cwd, 'secret'), `${idp.clientSecret}\n`)
  await writeFile(
    join(cwd, 'config.toml'),
    `[database]
    host = "${connection.host}"
    port = ${connection.port}
    user = "${connection.user}"
    password = "${connection.password?.reveal() ?? ''}"
    name = "${connection.name}"
    [server]
    host = "127.0.0.1"
    port = 0
    evaluate = false
    public_url = "${FORGE}"
    state_dir = "./state"
    [oidc]
    issuer = "${idp.issuer}"
    client_id = "${idp.clientId}"
    client_secret_file = "./secret"
    name = "Keycloak"
    operator_groups = ["infra"]`,
  )
  onTestFinished(drop)
  const address = await startServer(cwd, {})
  const session = createBrowserSession({ [FORGE]: address })
  const who = async () => JSON.parse(await (await session.visit(`${FORGE}/api/v1/session`)).text())
  expect((await who()).sign_in.oidc).toEqual({ name: 'Keycloak' })
  await session.follow(
    `${FORGE}/auth/oidc/start`,
    ({ origin, pathname }) => origin === FORGE && pathname === '/',
  )
  expect(await who()).toMatchObject({ user: { name: 'alice' }, role: 'operator' })
})
