import { chmod, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { maskSecrets, withCredentials } from '../../../src/evaluator/credentials.ts'
import { loadConfig } from '../../../src/lib/config/load.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { redirectTo, startGitHttpServer, TLS_CERTIFICATE } from '../../support/git-http-server.ts'
import { createTestRepository } from '../../support/git-repository.ts'
import { createTestMirror, NO_CREDENTIALS } from '../../support/mirror.ts'
import { createSshKey, startSshServer } from '../../support/ssh-server.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

async function served() {
  const repository = await createTestRepository()
  const head = await repository.commit({ a: '1' })
  return { repository, head, root: dirname(repository.path), path: repository.path }
}

function trustTestCertificate(): void {
  vi.stubEnv('GIT_SSL_CAINFO', TLS_CERTIFICATE)
  onTestFinished(() => void vi.unstubAllEnvs())
}

test('an SSH key and the known host key read a repository', async () => {
  const { head, path } = await served()
  const server = await startSshServer()
  const mirror = await createTestMirror(`git+${server.url}${path}`, {
    credentials: { sshKey: new Secret(server.privateKey.trim()), knownHostsFile: server.knownHostsFile },
  })
  expect(await mirror.fetch(null)).toEqual({ branch: 'main', head })
})

test('a key file that its group can read serves too, as systemd gives credentials', async () => {
  const { head, path } = await served()
  const server = await startSshServer()
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'key'), server.privateKey)
  await chmod(join(directory, 'key'), 0o440)
  const url = `git+${server.url}${path}`
  await writeFile(
    join(directory, 'config.toml'),
    `[[flakes]]\nurl = "${url}"\nssh_key_file = "${join(directory, 'key')}"\nknown_hosts_file = "${server.knownHostsFile}"\n`,
  )
  const [flake] = loadConfig({ env: {}, cwd: directory, part: 'all' }).flakes
  const mirror = await createTestMirror(url, {
    credentials: { sshKey: flake?.ssh_key ?? null, knownHostsFile: flake?.known_hosts_file ?? null },
  })
  expect((await mirror.fetch(null)).head).toBe(head)
})

test('a host key that is not the known one is refused', async () => {
  const { path } = await served()
  const server = await startSshServer()
  const directory = await temporaryDirectory()
  const other = await createSshKey(join(directory, 'other'))
  await writeFile(join(directory, 'known_hosts'), server.knownHostsLine(other.publicKey))
  for (const knownHostsFile of [join(directory, 'known_hosts'), null]) {
    const mirror = await createTestMirror(`${server.url}${path}`, {
      credentials: { sshKey: new Secret(server.privateKey), knownHostsFile },
    })
    await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'host_key', canHeal: false })
  }
})

test('a key that the server does not know is refused, and not printed', async () => {
  const { path } = await served()
  const server = await startSshServer()
  const { privateKey } = await createSshKey(join(await temporaryDirectory(), 'other'))
  const mirror = await createTestMirror(`${server.url}${path}`, {
    credentials: { sshKey: new Secret(privateKey), knownHostsFile: server.knownHostsFile },
  })
  await expect(mirror.fetch(null)).rejects.toMatchObject({
    kind: 'unauthorized',
    canHeal: false,
    message: expect.stringContaining('check ssh_key_file'),
  })
})

test('a key that is none is told as such', async () => {
  const { path } = await served()
  const server = await startSshServer()
  const mirror = await createTestMirror(`${server.url}${path}`, {
    credentials: { sshKey: new Secret('hunter2 is no key'), knownHostsFile: server.knownHostsFile },
  })
  await expect(mirror.fetch(null)).rejects.toMatchObject({
    kind: 'unauthorized',
    message: expect.not.stringContaining('hunter2'),
  })
})

test('nothing of the user that runs it is used: no agent, no key, no settings', async () => {
  const { path } = await served()
  const server = await startSshServer()
  const home = await temporaryDirectory()
  await mkdir(join(home, '.ssh'), { mode: 0o700 })
  await writeFile(join(home, '.ssh/id_ed25519'), server.privateKey, { mode: 0o600 })
  await writeFile(join(home, '.ssh/known_hosts'), await readFile(server.knownHostsFile))
  await writeFile(
    join(home, '.gitconfig'),
    `[url "/nonexistent"]\n\tinsteadOf = ${server.url}\n[core]\n\tsshCommand = touch ${home}/canary\n`,
  )
  const stubs = {
    HOME: home,
    XDG_CONFIG_HOME: home,
    SSH_AUTH_SOCK: join(home, 'agent'),
    GIT_SSH_COMMAND: `touch ${home}/canary`,
    GIT_SSH: '/bin/false',
    SSH_ASKPASS: '/bin/false',
    GIT_ASKPASS: '/bin/false',
    GIT_EXEC_PATH: home,
    GIT_DIR: home,
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    GIT_TRACE: join(home, 'canary'),
  }
  for (const [name, value] of Object.entries(stubs)) vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
  const mirror = await createTestMirror(`${server.url}${path}`, {
    credentials: { knownHostsFile: server.knownHostsFile },
  })
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'unauthorized' })
  expect(server.connections()).toBe(1)
  expect(await readdir(home)).not.toContain('canary')
})

test('an SSH server that says nothing is given up after the time limit', async () => {
  const server = await startSshServer()
  server.hang()
  const mirror = await createTestMirror(`${server.url}/repository`, { timeoutMs: 300 })
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'timeout', canHeal: true })
})

test('a repository that an SSH server does not have is not there', async () => {
  const server = await startSshServer()
  const mirror = await createTestMirror(`${server.url}/nonexistent/it's; touch x`.replaceAll(' ', '%20'), {
    credentials: { sshKey: new Secret(server.privateKey), knownHostsFile: server.knownHostsFile },
  })
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'not_found', canHeal: false })
})

test('a netrc file gives user and password', async () => {
  const { head, root } = await served()
  const server = await startGitHttpServer({ root, account: 'ops:hunter2' })
  const fetchWith = async (netrc: string | null) =>
    (
      await createTestMirror(`${server.url}/repository`, {
        credentials: { netrc: netrc === null ? null : new Secret(netrc) },
      })
    ).fetch(null)
  expect((await fetchWith('machine 127.0.0.1 login ops password hunter2')).head).toBe(head)
  await expect(fetchWith(null)).rejects.toMatchObject({ kind: 'unauthorized', canHeal: false })
  await expect(fetchWith('machine 127.0.0.1\n  login ops\n  password hunter3')).rejects.toMatchObject({
    kind: 'unauthorized',
    message: expect.not.stringContaining('hunter3'),
  })
  await expect(fetchWith('machine example.org login ops password hunter2')).rejects.toMatchObject({
    kind: 'unauthorized',
  })
})

test.each([
  ['ghp_hunter2', 'x-access-token:ghp_hunter2'],
  ['PAT:glpat-hunter2', 'oauth2:glpat-hunter2'],
  ['OAuth2:hunter2', 'oauth2:hunter2'],
])('the access token %s is given over TLS', async (token, account) => {
  trustTestCertificate()
  const { head, root } = await served()
  const server = await startGitHttpServer({ root, account, tls: true })
  const place = server.url.replace('https://', '')
  const fetchWith = async (accessTokens: string) =>
    (
      await createTestMirror(`${server.url}/repository`, {
        credentials: { accessTokens: new Secret(accessTokens) },
      })
    ).fetch(null)
  expect((await fetchWith(`github.com=other ${place}=${token}`)).head).toBe(head)
  // The more exact place counts, in any order.
  expect((await fetchWith(`${place}/repository=${token}\n${place}=other`)).head).toBe(head)
  expect((await fetchWith(`${place}=other ${place}/repository=${token}`)).head).toBe(head)
  await expect(fetchWith(`${place}/elsewhere=${token}`)).rejects.toMatchObject({ kind: 'unauthorized' })
  await expect(fetchWith(`${place}=other-hunter2`)).rejects.toMatchObject({
    kind: 'unauthorized',
    message: expect.not.stringContaining('hunter2'),
  })
})

test('an access token is never given without TLS', async () => {
  const { root } = await served()
  const server = await startGitHttpServer({ root, account: 'x-access-token:hunter2' })
  const mirror = await createTestMirror(`${server.url}/repository`, {
    credentials: { accessTokens: new Secret(`${server.url.replace('http://', '')}=hunter2`) },
  })
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'unauthorized' })
  expect(server.requests.map(({ authorization }) => authorization)).toEqual([null])
})

test('an access token does not follow a redirection to another server', async () => {
  trustTestCertificate()
  const { root } = await served()
  const thief = await startGitHttpServer({ root, tls: true })
  const server = await startGitHttpServer({ root, tls: true })
  server.answerWith(redirectTo(thief.url))
  const mirror = await createTestMirror(`${server.url}/repository`, {
    credentials: { accessTokens: new Secret(`${server.url.replace('https://', '')}=hunter2`) },
  })
  await mirror.fetch(null)
  expect(thief.requests.length).toBeGreaterThan(0)
  for (const { authorization } of thief.requests) expect(authorization).toBeNull()
})

test('a server whose certificate is not trusted is refused', async () => {
  const { root } = await served()
  const server = await startGitHttpServer({ root, tls: true })
  const mirror = await createTestMirror(`${server.url}/repository`)
  await expect(mirror.fetch(null)).rejects.toMatchObject({ kind: 'certificate', canHeal: false })
})

test.each([
  ['access tokens without a place', { accessTokens: new Secret('hunter2') }, 'entry 1 of the access tokens'],
  [
    'known hosts that are not there',
    { knownHostsFile: '/nonexistent/known_hosts' },
    '/nonexistent/known_hosts',
  ],
])('%s are a problem with a name', async (_what, credentials, told) => {
  const { repository } = await served()
  const mirror = await createTestMirror(repository.url, { credentials })
  await expect(mirror.fetch(null)).rejects.toMatchObject({
    name: 'GitError',
    kind: 'credentials',
    canHeal: false,
    message: expect.stringContaining(told),
  })
  await expect(mirror.fetch(null)).rejects.not.toThrow('hunter2')
})

test('credentials are in private files as long as they are used, and in no argument', async () => {
  const credentials = {
    ...NO_CREDENTIALS,
    sshKey: new Secret('hunter2-key'),
    netrc: new Secret('machine h login a password hunter2'),
    accessTokens: new Secret('github.com=hunter2'),
  }
  const home = await withCredentials(credentials, async (access) => {
    for (const name of await readdir(access.home)) {
      const { mode } = await import('node:fs').then((fs) => fs.statSync(join(access.home, name)))
      expect([name, (mode & 0o777).toString(8)]).toEqual([name, '600'])
    }
    expect(JSON.stringify(access.env)).not.toContain('hunter2')
    return access.home
  })
  expect(await readdir(tmpdir())).not.toContain(home)
  await expect(withCredentials(credentials, () => Promise.reject(new Error('failed')))).rejects.toThrow(
    'failed',
  )
})

test('what a killed process left of credentials is removed after a day', async () => {
  const directory = await temporaryDirectory()
  vi.stubEnv('TMPDIR', directory)
  onTestFinished(() => void vi.unstubAllEnvs())
  const [old, young] = ['crystal-forge-credentials-old', 'crystal-forge-credentials-young']
  for (const name of [old, young]) await mkdir(join(directory, name))
  const yesterday = Date.now() / 1000 - 25 * 60 * 60
  await utimes(join(directory, old), yesterday, yesterday)
  await withCredentials(NO_CREDENTIALS, async () => {})
  expect(await readdir(directory)).toEqual([young])
})

test('secrets are masked in what programs say', () => {
  const credentials = {
    ...NO_CREDENTIALS,
    sshKey: new Secret('-----BEGIN KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END KEY-----\n'),
    netrc: new Secret('machine a login b password hunter2\nmachine c password "hunter 3"'),
    accessTokens: new Secret('github.com=ghp_x gitlab.com=PAT:ghp_xy'),
  }
  const basic = Buffer.from('x-access-token:ghp_x').toString('base64')
  const said = `a hunter2 "hunter 3" ghp_xy ghp_x ${basic} b3BlbnNzaC1rZXktdjEA https://me:pw@h/x -----BEGIN KEY-----`
  expect(maskSecrets(said, credentials)).toBe(
    'a <secret> "<secret>" <secret> <secret> <secret> <secret> https://<secret>@h/x -----BEGIN KEY-----',
  )
})
