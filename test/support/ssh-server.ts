import { execFile, spawn } from 'node:child_process'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from './temporary-directory.ts'

export interface SshServer {
  /** `ssh://<user>@127.0.0.1:<port>`; an absolute path follows. */
  url: string
  /** A private key that the server takes, as text. */
  privateKey: string
  /** A file that tells the server's host key. */
  knownHostsFile: string
  /** Its line for any host key. */
  knownHostsLine: (publicKey: string) => string
  /** How many connections there were. */
  connections: () => number
  /** From now on connections are taken, and nothing is said. */
  hang: () => void
}

/** OpenSSH's server for the user that runs the tests; gone when the test is over. */
export async function startSshServer(): Promise<SshServer> {
  const directory = await temporaryDirectory()
  const host = await createSshKey(join(directory, 'host_key'))
  const user = await createSshKey(join(directory, 'user_key'))
  await writeFile(join(directory, 'authorized_keys'), user.publicKey)
  const config = [
    `HostKey ${join(directory, 'host_key')}`,
    `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'PermitRootLogin prohibit-password',
    'PidFile none',
    'LogLevel QUIET',
  ]
  await writeFile(join(directory, 'config'), config.join('\n'))
  // Where a root's sshd separates its privileges; its package makes it at boot.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })

  const sockets = new Set<Socket>()
  let count = 0
  let hangs = false
  const server = createServer((socket) => {
    count += 1
    sockets.add(socket)
    socket.on('error', () => {})
    if (hangs) return
    const sshd = spawn('/usr/sbin/sshd', ['-i', '-e', '-f', join(directory, 'config')], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    sshd.stdin.on('error', () => {})
    socket.pipe(sshd.stdin)
    sshd.stdout.pipe(socket)
    socket.on('close', () => sshd.kill())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  const { port } = server.address() as AddressInfo
  const knownHostsLine = (publicKey: string): string => `[127.0.0.1]:${port} ${publicKey}`
  const knownHostsFile = join(directory, 'known_hosts')
  await writeFile(knownHostsFile, knownHostsLine(host.publicKey))
  return {
    url: `ssh://${userInfo().username}@127.0.0.1:${port}`,
    privateKey: user.privateKey,
    knownHostsFile,
    knownHostsLine,
    connections: () => count,
    hang: () => (hangs = true),
  }
}

/** An Ed25519 key in `file` and `file`.pub. */
export async function createSshKey(file: string): Promise<{ privateKey: string; publicKey: string }> {
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file])
  await chmod(file, 0o600)
  return { privateKey: await readFile(file, 'utf8'), publicKey: await readFile(`${file}.pub`, 'utf8') }
}
