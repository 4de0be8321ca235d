import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { errorCode, explainError } from '../lib/errors.ts'
import type { Secret } from '../lib/secret.ts'
import { type AccessToken, parseAccessTokens } from './access-tokens.ts'
import { GIT_ENVIRONMENT } from './git/environment.ts'
import { GitError } from './git/git-error.ts'

/** What may read a flake and its private inputs: members of FlakeConfig. */
export interface Credentials {
  sshKey: Secret | null
  knownHostsFile: string | null
  netrc: Secret | null
  accessTokens: Secret | null
}

/** What Git and Nix need to use them. */
export interface Access {
  /** A private directory, gone when the work is done. */
  home: string
  /** For the environment of `git`, or of a `nix` that fetches; never of an evaluation, which runs other people's code. */
  env: Readonly<Record<string, string>>
}

const PREFIX = 'crystal-forge-credentials-'

/** Longer than any use; what is older was left by a process that was killed. */
const LEFTOVER_MS = 24 * 60 * 60 * 1000

/**
 * Runs `use` with credentials in private files, removed afterwards. The files are copies with mode 0600: ssh refuses a key
 * that others can read, and systemd gives credentials with 0440. Throws a GitError when one of them cannot be used.
 */
export async function withCredentials<T>(
  credentials: Credentials,
  use: (access: Access) => Promise<T>,
): Promise<T> {
  const tokens = readTokens(credentials)
  await removeLeftovers(tmpdir())
  const home = await mkdtemp(join(tmpdir(), PREFIX))
  try {
    await writeFiles(home, credentials)
    const env = {
      ...GIT_ENVIRONMENT,
      HOME: home,
      // Git looks for a repository from where it runs upwards: not beyond the private directory.
      GIT_CEILING_DIRECTORIES: dirname(home),
      GIT_SSH_COMMAND: `ssh -F ${shellWord(join(home, 'ssh_config'))}`,
      GIT_SSH_VARIANT: 'ssh',
      NIX_USER_CONF_FILES: join(home, 'nix.conf'),
      ...gitConfig(await writeTokens(home, tokens)),
    }
    return await use({ home, env })
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

function readTokens({ accessTokens }: Credentials): AccessToken[] {
  try {
    return parseAccessTokens(accessTokens?.reveal() ?? '')
  } catch (error) {
    throw new GitError('credentials', 'cannot use access_tokens_file', explainError(error))
  }
}

async function writeFiles(home: string, credentials: Credentials): Promise<void> {
  const { sshKey, knownHostsFile, netrc } = credentials
  // OpenSSH does not read a key without the newline at its end.
  if (sshKey !== null) await writePrivate(join(home, 'key'), `${sshKey.reveal()}\n`)
  if (knownHostsFile !== null)
    await writePrivate(join(home, 'known_hosts'), await readKnownHosts(knownHostsFile))
  if (netrc !== null) await writePrivate(join(home, '.netrc'), `${netrc.reveal()}\n`)
  await writePrivate(join(home, 'ssh_config'), sshConfig(home, credentials))
  await writePrivate(join(home, 'nix.conf'), nixConfig(home, credentials))
}

async function readKnownHosts(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new GitError('credentials', 'cannot use known_hosts_file', `${file}: ${errorCode(error)}`)
  }
}

/**
 * Git's settings for the tokens, the most exact place first. Git asks for them when a server wants them, by the address
 * that it was led to: headers that are set would follow a redirection to another server (git-config(1), http.extraHeader).
 */
async function writeTokens(home: string, tokens: readonly AccessToken[]): Promise<[string, string][]> {
  const exactFirst = tokens.toSorted((one, other) => other.place.length - one.place.length)
  const settings: [string, string][] = []
  for (const [index, { place, user, token }] of exactFirst.entries()) {
    const file = join(home, `token-${index}`)
    const [host] = place.split('/', 1)
    await writePrivate(file, `https://${encodeURIComponent(user)}:${encodeURIComponent(token)}@${host}\n`)
    settings.push([`credential.https://${place}.helper`, `store --file=${shellWord(file)}`])
  }
  return settings
}

const writePrivate = (file: string, text: string): Promise<void> => writeFile(file, text, { mode: 0o600 })

/** One word for a shell. */
const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** Replaces in `text` what is secret: for output of programs that had the credentials. */
export function maskSecrets(text: string, { sshKey, netrc, accessTokens }: Credentials): string {
  const tokens = parseAccessTokens(accessTokens?.reveal() ?? '')
  const passwords = [...(netrc?.reveal() ?? '').matchAll(/\bpassword\s+(?:"([^"]+)"|(\S+))/g)]
  const secrets = [
    ...tokens.flatMap(({ user, token }) => [token, encodeURIComponent(token), btoa(`${user}:${token}`)]),
    ...passwords.map(([, quoted, plain]) => quoted ?? plain ?? ''),
    ...(sshKey?.reveal() ?? '').split(/\r?\n/).filter((line) => line.length > 8 && !line.startsWith('-----')),
  ]
  // Longest first: a secret can be part of another.
  const masked = secrets
    .filter((secret) => secret !== '')
    .sort((one, other) => other.length - one.length)
    .reduce((rest, secret) => rest.replaceAll(secret, '<secret>'), text)
  // The address of a proxy can hold a password.
  return masked.replaceAll(/(?<=:\/\/)[^@/\s]+(?=@)/g, '<secret>')
}

/** Settings for `git` by its environment (git-config(1), ENVIRONMENT): arguments are there for everyone to read. */
function gitConfig(settings: readonly (readonly [string, string])[]): Record<string, string> {
  const numbered = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ])
  return Object.fromEntries([['GIT_CONFIG_COUNT', `${settings.length}`], ...numbered])
}

/** Only what is given: no agent, no key and no settings of the user that runs this. */
function sshConfig(home: string, { sshKey, knownHostsFile }: Credentials): string {
  // ssh_config(5): `%` starts a token.
  const file = (name: string): string => `"${join(home, name).replaceAll('%', '%%')}"`
  const lines = [
    'BatchMode yes',
    'IdentitiesOnly yes',
    'IdentityAgent none',
    `IdentityFile ${sshKey === null ? 'none' : file('key')}`,
    'StrictHostKeyChecking yes',
    `UserKnownHostsFile ${knownHostsFile === null ? 'none' : file('known_hosts')}`,
    // Where NixOS puts `programs.ssh.knownHosts`.
    `GlobalKnownHostsFile ${knownHostsFile === null ? '/etc/ssh/ssh_known_hosts' : 'none'}`,
    'UpdateHostKeys no',
    'ConnectTimeout 30',
    'ServerAliveInterval 15',
    'ServerAliveCountMax 4',
  ]
  return `${lines.join('\n')}\n`
}

function nixConfig(home: string, { netrc, accessTokens }: Credentials): string {
  const lines = [
    ...(netrc === null ? [] : [`netrc-file = ${join(home, '.netrc')}`]),
    ...(accessTokens === null ? [] : [`access-tokens = ${accessTokens.reveal().split(/\s+/).join(' ')}`]),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

async function removeLeftovers(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.startsWith(PREFIX))
  for (const path of names.map((name) => join(directory, name))) {
    try {
      const { uid, mtimeMs } = await stat(path)
      const isLeft = uid === process.getuid?.() && Date.now() - mtimeMs > LEFTOVER_MS
      if (isLeft) await rm(path, { recursive: true, force: true })
    } catch (error) {
      // Another process has just removed its own.
      if (errorCode(error) !== 'ENOENT') throw error
    }
  }
}
