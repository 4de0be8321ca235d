import { Command } from 'commander'
import { lstat, rm } from 'node:fs/promises'
import { format, parse } from 'node:path'
import { errorCode } from '../lib/errors.ts'
import { prepareFile } from '../lib/files.ts'
import { encodeBase64, generateSeed, parsePrivateKey } from '../protocol/keys.ts'
import { UsageError } from './exit.ts'
import { escapeControls, printJson } from './output.ts'

interface KeygenOptions {
  file: string
  force: boolean
  json: boolean
}

export function createKeygenCommand(): Command {
  return new Command('keygen')
    .description(
      'Makes an Ed25519 key pair: the private key at PATH (mode 0600), the public key beside it with extension .pub.',
    )
    .option('-f, --file <path>', 'where the private key goes', 'host.key')
    .option('--force', 'replace a key pair that is there', false)
    .option('--json', 'print JSON', false)
    .action(async ({ file, force, json }: KeygenOptions) => {
      const pair = await writeKeyPair(file, force)
      if (json) printJson(pair)
      else printPair(pair)
    })
}

interface KeyPair {
  private_key_file: string
  public_key_file: string
  public_key: string
  key_id: string
}

/** Both files are complete on disk before either gets its name, and neither stays when the other cannot be made. */
async function writeKeyPair(file: string, force: boolean): Promise<KeyPair> {
  const publicFile = publicKeyFile(file)
  if (!force) await refuseExisting([file, publicFile])
  const seed = encodeBase64(generateSeed())
  const { publicKey, id } = parsePrivateKey(seed)
  const publicText = encodeBase64(publicKey)
  try {
    await publishPair(
      { path: file, text: `${seed}\n`, mode: 0o600 },
      { path: publicFile, text: `${publicText}\n`, mode: 0o644 },
      force,
    )
  } catch (error) {
    if (errorCode(error) === 'EEXIST') await refuseExisting([file, publicFile])
    throw new Error(`cannot write the key pair ${file} and ${publicFile}`, { cause: error })
  }
  return { private_key_file: file, public_key_file: publicFile, public_key: publicText, key_id: id }
}

interface NewFile {
  path: string
  text: string
  mode: number
}

async function publishPair(privateFile: NewFile, publicFile: NewFile, replace: boolean): Promise<void> {
  const preparedPrivate = await prepareFile(privateFile.path, privateFile.text, privateFile)
  try {
    const preparedPublic = await prepareFile(publicFile.path, publicFile.text, publicFile)
    try {
      // A crash between the two leaves a private key alone, never one beside another's public key.
      if (replace) await rm(publicFile.path, { force: true })
      await preparedPrivate.publish({ replace })
      await preparedPublic.publish({ replace }).catch(async (error: unknown) => {
        if (!replace) await rm(privateFile.path)
        throw error
      })
    } finally {
      await preparedPublic.discard()
    }
  } finally {
    await preparedPrivate.discard()
  }
}

function publicKeyFile(file: string): string {
  const { dir, root, name, ext } = parse(file)
  if (ext === '.pub') throw new UsageError(`${file} is the name of a public key: give the private key's`)
  return format({ dir, root, name, ext: '.pub' })
}

async function refuseExisting(files: readonly string[]): Promise<void> {
  for (const file of files) {
    if (await exists(file)) {
      throw new Error(
        `${file} exists already; --force replaces the key pair, and the old private key is lost`,
      )
    }
  }
}

/** A dangling link counts: what is written through it would appear where nobody asked for it. */
async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw new Error(`cannot look at ${file}`, { cause: error })
  }
}

function printPair({ private_key_file, public_key_file, public_key, key_id }: KeyPair): void {
  process.stdout.write(
    `private key  ${escapeControls(private_key_file)}  (stays on its machine)\n` +
      `public key   ${escapeControls(public_key_file)}  ${public_key}\n` +
      `key id       ${key_id}\n`,
  )
}
