import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/lib/log.ts'
import { Secret } from '../../src/lib/secret.ts'
import { runCli } from '../support/cli.ts'
import { databaseContent } from '../support/database-content.ts'
import { fleetCli } from '../support/fleet-cli.ts'
import { addTestUser, createTestBrowser, PASSWORD, signedIn } from '../support/people.ts'
import { sendRaw } from '../support/raw-http.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { newKey, registerTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { createVersion0Agent, VERSION_0_MESSAGE } from '../support/version-0-agent.ts'

// The classes of finding of a published penetration test of another fleet server, each as an attack on this one.

const logged: string[] = []
let server: TestServer
beforeAll(async () => {
  server = await startTestServer({
    settings: {
      trustedProxies: ['127.0.0.1'],
      acceptVersion0: true,
      webhookSecrets: { shared: [new Secret('a secret')], own: [] },
    },
    log: createLogger({ level: 'trace', destination: { write: (line: string) => logged.push(line) } }),
  })
  await addTestUser(server, 'ada', 'admin')
  await addTestUser(server, 'vera', 'viewer')
})
afterAll(() => server.stop())

/** A request line as it is written: no client makes the path tidy. */
async function sendPath(target: string, cookie: string, headers: readonly string[] = [], method = 'GET') {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${server.authority}`,
    `Cookie: ${cookie}`,
    'Sec-Fetch-Site: same-origin',
    'Connection: close',
    'Content-Length: 0',
    ...headers,
  ]
  const reply = await sendRaw(server.url, `${lines.join('\r\n')}\r\n\r\n`)
  return { status: reply?.status ?? 0, text: reply?.text ?? '' }
}

describe('access across groups', () => {
  test('no spelling of a path shows a viewer what only an admin may see', async () => {
    const cookie = (await signedIn(server, 'vera')).cookie()
    for (const path of [
      '/api/v1/users',
      '/api/v1/users/',
      '/api/v1//users',
      '//api/v1/users',
      '/api/v1/./users',
      '/api/v1/systems/../users',
      '/api/v1/systems/%2e%2e/users',
      '/api/v1/%75sers',
      '/api/v1/users%2f',
      '/api/v1/users%00',
      '/api/v1/users;role=admin',
      '/api/v1/users?role=admin',
      '/API/V1/USERS',
      `${server.url}/api/v1/users`,
    ]) {
      const { status, text } = await sendPath(path, cookie)
      expect([path, text.includes('"vera"'), status < 300 && !text.startsWith('<!')]).toEqual([
        path,
        false,
        false,
      ])
    }
    expect((await sendPath('/api/v1/session', cookie)).text).toContain('"vera"')
  })

  test('no header or parameter makes one method another', async () => {
    const vera = await signedIn(server, 'vera')
    const { id } = (await vera.api('GET', '/session')).body.user
    const before = await databaseContent(server.database.db)
    for (const header of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])
      for (const method of ['GET', 'POST']) {
        const { status } = await sendPath(
          `/api/v1/users/${id}?_method=DELETE`,
          vera.cookie(),
          [`${header}: DELETE`],
          method,
        )
        expect([403, 404]).toContain(status)
      }
    for (const header of ['X-Original-URL: /api/v1/users', 'X-Rewrite-URL: /api/v1/users'])
      expect((await sendPath('/api/v1/session', vera.cookie(), [header])).text).not.toContain('"users"')
    expect(await databaseContent(server.database.db)).toEqual(before)
  })

  test('nobody gives a higher role than the own, to a token or to oneself', async () => {
    const operator = await server.createToken('operator')
    const vera = await signedIn(server, 'vera')
    const { id } = (await vera.api('GET', '/session')).body.user
    const attacks: [string, string, object][] = [
      ['POST', '/tokens', { name: 'x', role: 'admin' }],
      ['POST', '/users', { name: 'eve', role: 'admin' }],
      ['PATCH', `/users/${id}`, { role: 'admin' }],
      ['POST', `/users/1/password-link`, {}],
    ]
    for (const [method, path, body] of attacks) {
      expect((await vera.api(method, path, body)).status).toBe(403)
      expect((await server.api(method, path, { token: operator, body })).status).toBe(403)
    }
    const own = { current: PASSWORD, password: 'a new long password', role: 'admin', id: 1 }
    expect((await vera.api('PUT', '/users/me/password', own)).status).toBe(422)
    expect((await vera.api('GET', '/session')).body.role).toBe('viewer')
  })

  test('the cookie of a user who was disabled or removed is worth nothing', async () => {
    for (const end of ['disable', 'remove'] as const) {
      const { id } = await addTestUser(server, 'gone', 'admin')
      const gone = await signedIn(server, 'gone')
      if (end === 'disable') await server.api('PATCH', `/users/${id}`, { body: { disabled: true } })
      else await server.api('DELETE', `/users/${id}`)
      expect((await gone.api('GET', '/systems')).status).toBe(401)
      expect((await gone.api('POST', '/tokens', { name: 'back door', role: 'admin' })).status).toBe(401)
      await server.api('DELETE', `/users/${id}`)
    }
  })

  test('the key of one machine reports nothing of another', async () => {
    const mine = await registerTestAgent(server, { hostname: 'mine' })
    const other = await registerTestAgent(server, { hostname: 'other' })
    await other.report()
    const before = await databaseContent(server.database.db)
    mine.state.fingerprint.software.hostname = 'other'
    expect((await mine.report()).status).toBe(403)
    expect(await databaseContent(server.database.db)).toEqual(before)
  })
})

test('CSV formula injection: no cell of a file begins a formula', async () => {
  const formulas = ['=SUM(1,"2")', '+1+1', '-1+1', '@SUM(A1)', '\t=1+1', ' =1+1', '\uff1d1+1']
  for (const [index, environment] of formulas.entries())
    await server.api('POST', '/systems', { body: { hostname: `formula${index}`, environment } })
  await server.api('POST', '/tokens', { body: { name: '=cmd|" /C calc"!A1', role: 'viewer' } })
  for (const path of ['/systems?format=csv', '/audit?format=csv']) {
    const response = await fetch(`${server.url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${server.adminToken}` },
    })
    expect(response.headers.get('content-disposition')).toMatch(/^attachment/)
    const text = await response.text()
    expect(text).toContain("'=")
    // what is in quotes may hold commas and lines
    const cells = text.match(/(?:^|,|\n)(?:"(?:[^"]|"")*"|[^,\r\n]*)/g) ?? []
    expect(cells.length).toBeGreaterThan(20)
    for (const cell of cells) expect(cell).not.toMatch(/^[,\n]?"?\s*[=+@\uff1d]|^[,\n]?"?\s*-\d+\+/)
  }
})

describe('open metrics', () => {
  test('no spelling of their path shows them without a token', async () => {
    for (const path of [
      '/metrics',
      '/metrics/',
      '//metrics',
      '/%6detrics',
      '/METRICS',
      '/api/v1/../../metrics',
    ])
      for (const accept of ['*/*', 'text/html']) {
        const { text } = await sendPath(path, '', [`Accept: ${accept}`])
        expect([path, text.includes('crystal_forge_')]).toEqual([path, false])
      }
  })

  test('health says nothing but whether', async () => {
    for (const path of ['/health/live', '/health/ready'])
      expect((await (await fetch(server.url + path)).text()).length).toBeLessThan(40)
    expect((await server.api('GET', '/health/parts', { token: null })).status).toBe(401)
  })
})

const from = (address: string) => createTestBrowser(server, { 'x-forwarded-for': address })

describe('weak lockout', () => {
  test('a guesser gets a few tries, however they are sent, and is not told when one is right', async () => {
    await addTestUser(server, 'target', 'viewer')
    const names = ['target', 'TARGET', 'Target', 'tARGET']
    const guesses = Array.from({ length: 24 }, (_, index) =>
      from('192.0.2.66').signIn(
        names[index % names.length] ?? '',
        index === 23 ? PASSWORD : `guess ${index}`,
      ),
    )
    const statuses = (await Promise.all(guesses)).map(({ status }) => status)
    expect(statuses.filter((status) => status !== 429).length).toBeLessThanOrEqual(5)
    expect((await from('192.0.2.66').signIn('target')).status).toBe(429)
  })

  test('and locks nobody out: the owner signs in from where the owner is known', async () => {
    await addTestUser(server, 'owner', 'admin')
    expect((await from('198.51.100.7').signIn('owner')).status).toBe(204)
    for (let each = 0; each < 40; each += 1) await from(`203.0.113.${each}`).signIn('owner', 'a wrong guess')
    expect((await from('198.51.100.7').signIn('owner')).status).toBe(204)
  })

  test('a text that is no name is refused like any other', async () => {
    for (const name of ['\u0000', 'ada\u0000', '\ud800', "' or '1'='1"])
      expect([401, 422]).toContain((await from('192.0.2.67').signIn(name)).status)
  })
})

const age = async (column: 'last_used_at' | 'expires_at', interval: string) =>
  await sql`update sessions set ${sql.ref(column)} = now() - ${interval}::interval`.execute(
    server.database.db,
  )

describe('fixed session lifetime', () => {
  test('a stolen cookie ends when it is idle, after a week, and when its owner says so', async () => {
    const idle = await signedIn(server, 'vera')
    await age('last_used_at', '8 hours 1 second')
    expect((await idle.api('GET', '/systems')).status).toBe(401)
    const old = await signedIn(server, 'vera')
    await age('expires_at', '1 second')
    expect((await old.api('GET', '/systems')).status).toBe(401)
    const stolen = await signedIn(server, 'vera')
    const owner = await signedIn(server, 'vera')
    const { id } = (await owner.api('GET', '/session')).body.user
    expect((await owner.api('DELETE', `/users/${id}/sessions`)).status).toBe(204)
    expect((await stolen.api('GET', '/systems')).status).toBe(401)
  })

  test('a session that an attacker chose is not the one that its victim signs in to', async () => {
    const chosen = `crystal_forge=cfs_${'A'.repeat(43)}`
    const victim = createTestBrowser(server)
    const reply = await victim.api(
      'POST',
      '/session',
      { name: 'vera', password: PASSWORD },
      { cookie: chosen },
    )
    expect(reply.status).toBe(204)
    expect(victim.cookie()).not.toBe(chosen)
    expect((await victim.api('GET', '/systems', undefined, { cookie: chosen })).status).toBe(401)
  })
})

/** All that a stranger learns from trying a password. */
const told = async (name: string, password: string) => {
  const { status, body, headers } = await from('192.0.2.68').signIn(name, password)
  const shown = [...headers.keys()].filter((header) => !['date', 'etag'].includes(header))
  return { status, body, shown }
}

describe('user enumeration', () => {
  test('who is there is in no answer to a stranger', async () => {
    const { id } = await addTestUser(server, 'shut', 'viewer')
    await server.api('PATCH', `/users/${id}`, { body: { disabled: true } })
    const wrong = await told('ada', 'a wrong password')
    expect(wrong.status).toBe(401)
    expect(await told('nobody', 'a wrong password')).toEqual(wrong)
    expect(await told('shut', PASSWORD)).toEqual(wrong)
  })

  test('nor in the answers to who may not see users', async () => {
    const vera = await signedIn(server, 'vera')
    const [there, absent] = [await vera.api('GET', '/users/1'), await vera.api('GET', '/users/999999')]
    expect([there.status, there.body]).toEqual([absent.status, absent.body])
    expect((await server.api('GET', '/users/1', { token: null })).status).toBe(401)
  })
})

describe('world-readable secrets', () => {
  test('are said, by the command that checks a configuration and in the log of a start', async () => {
    const cwd = await temporaryDirectory()
    await chmod(cwd, 0o755)
    await writeFile(join(cwd, 'password'), 'hunter2')
    await chmod(join(cwd, 'password'), 0o644)
    const env = {
      CRYSTAL_FORGE__DATABASE__HOST: '127.0.0.1',
      CRYSTAL_FORGE__DATABASE__PORT: '1',
      CRYSTAL_FORGE__DATABASE__PASSWORD_FILE: join(cwd, 'password'),
    }
    const said = 'every user of this machine can read this secret'
    const checked = await runCli(['check-config', '--part', 'server'], { cwd, env })
    expect(checked).toMatchObject({ code: 0, stderr: expect.stringContaining(`${cwd}/password: ${said}`) })
    const started = await runCli(['server'], { cwd, env })
    expect(started.stderr).toContain(said)
    expect(checked.stdout + checked.stderr + started.stderr).not.toContain('hunter2')
  })

  test('are not in the database: who reads a backup cannot sign in', async () => {
    const session = (await signedIn(server, 'vera')).cookie().split('=')[1] ?? ''
    const { body } = await server.api('POST', '/users/1/password-link')
    const secrets = [server.adminToken, session, body.link.split('#token=')[1], PASSWORD]
    const { rows } = await sql<{ text: string }>`
      select api_tokens::text as text from api_tokens union all select sessions::text from sessions
      union all select one_time_links::text from one_time_links union all select users::text from users
      union all select audit::text from audit`.execute(server.database.db)
    const all = rows.map(({ text }) => text).join('\n')
    expect(all).toContain('argon2id')
    for (const secret of secrets) expect(all).not.toContain(secret)
  })
})

describe('unsigned downgrade', () => {
  test('no agent is heard without a signature, on any path and in any version', async () => {
    const agent = await registerTestAgent(server, { hostname: 'signed' })
    await agent.report()
    const before = await databaseContent(server.database.db)
    for (const path of ['/agent/heartbeat', '/agent/state', '/agent/enroll', '/system_state'])
      for (const headers of [
        {},
        { 'x-key-id': 'signed' },
        { 'x-key-id': 'signed', 'x-signature': '' },
        { 'x-key-id': 'signed', 'x-signature': Buffer.alloc(64).toString('base64') },
        { 'signature-input': `sig1=("@method");alg="none";keyid="signed"`, signature: 'sig1=::' },
        { authorization: `Bearer ${server.adminToken}` },
      ]) {
        const response = await fetch(server.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ ...VERSION_0_MESSAGE, hostname: 'signed' }),
        })
        expect([path, response.status >= 400 && response.status < 500]).toEqual([path, true])
      }
    expect(await databaseContent(server.database.db)).toEqual(before)
  })

  test('a signature with another key than the registered one is none, in the older form too', async () => {
    await registerTestAgent(server, { hostname: 'older' })
    const send = createVersion0Agent(server, 'older', newKey())
    for (const path of ['/agent/heartbeat', '/agent/state', '/system_state'] as const)
      expect((await send(path)).status).toBe(401)
  })

  test('an unsigned webhook announces nothing', async () => {
    for (const provider of ['github', 'gitlab', 'gitea', 'forgejo', 'generic']) {
      const response = await fetch(`${server.url}/webhook/${provider}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-github-event': 'push',
          'x-gitlab-event': 'Push Hook',
        },
        body: JSON.stringify({ repository: 'git+https://example.org/x', ref: 'refs/heads/main' }),
      })
      expect([provider, [400, 401, 403].includes(response.status)]).toEqual([provider, true])
    }
  })
})

describe('log injection', () => {
  const FORGED = '{"level":"info","msg":"a forged line"}'

  test('whatever a stranger sends, a line of the log is one record that we wrote', async () => {
    const before = logged.length
    const quoted = encodeURIComponent(`\n${FORGED}\n\u001b[2J`)
    const refused = await fetch(`${server.url}/webhook/github`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-hub-signature-256': `sha256=${'0'.repeat(64)}`,
        'x-forwarded-for': `192.0.2.70"${FORGED}`,
      },
      body: `"\n${FORGED}"`,
    })
    expect(refused.status).toBe(401)
    await from('192.0.2.70').signIn(`x\n${FORGED}`)
    await sendPath(`/${quoted}`, `crystal_forge=${quoted}`, [`Authorization: Bearer ${quoted}`])
    const lines = logged.slice(before)
    expect(lines.join('')).toContain('refused a webhook')
    for (const line of lines) {
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(JSON.parse(line).msg).not.toBe('a forged line')
      // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
      expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
    }
  })

  test('nor does it reach the terminal of an operator', async () => {
    const hostile = '\u001b]0;owned\u0007\u001b[2J\r\nHOSTNAME  fake\u202e'
    await server.api('POST', '/systems', { body: { hostname: 'hostile', environment: hostile } })
    await server.api('POST', '/tokens', { body: { name: hostile, role: 'viewer' } })
    const cli = fleetCli(server)
    for (const command of [
      ['systems', 'list'],
      ['tokens', 'list'],
      ['audit'],
      ['systems', 'list', '--json'],
    ]) {
      const { code, stdout } = await cli.run(...command)
      expect(code).toBe(0)
      expect(stdout).toContain('owned')
      // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
      expect(stdout).not.toMatch(/^HOSTNAME {2}fake/m)
    }
  })
})
