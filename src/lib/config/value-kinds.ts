import { resolve } from 'node:path'
import { Secret } from '../secret.ts'
import { mismatch, patternKind, textKind, type Kind } from './kinds.ts'

/**
 * A path that starts with `/`, `./` or `../`, made absolute. Anything else is refused without quoting it: it may be
 * the secret itself, put where its file belongs.
 */
export const path: Kind<string> = {
  type: 'path',
  fromText: (text) => text,
  parse: (raw, directory) => {
    if (typeof raw !== 'string' || !/^\.{0,2}\//.test(raw) || raw.includes('\0')) {
      throw new Error(
        'must be a path that starts with "/" or "./" (the value is not shown: it could be a secret)',
      )
    }
    if (isKeySized(raw)) throw new Error('must be the path of a file, not the key itself')
    return resolve(directory, raw)
  },
  format: (value) => value,
}

export const secret: Kind<Secret> = {
  type: 'secret text',
  fromText: (text) => text,
  parse: (raw) => {
    if (typeof raw !== 'string' || raw === '') throw new Error('must be text in quotes')
    return new Secret(raw)
  },
  format: () => '<secret>',
}

/**
 * Base64 of a raw 32-byte key, padded (RFC 4648, section 4). Whether it is a point on the curve is checked where the
 * key is registered. Not quoted in errors: a private key looks the same.
 */
export const publicKey = textKind('base64 of 32 bytes', 'a public key', (text) => {
  if (!isKeySized(text)) {
    throw new Error(
      'must be a raw Ed25519 public key: 32 bytes in padded base64, as `crystal-forge keygen` writes it',
    )
  }
  return text
})

function isKeySized(text: string): boolean {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === 32 && bytes.toString('base64') === text
}

/** Equal to STORE_PATH_PATTERN of the protocol, which this folder may not import; a test compares them. */
export const STORE_PATH = /^\/nix\/store\/[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+._?=-]{1,211}$/

export const storePath = textKind('store path', 'a store path', (text) => {
  if (!STORE_PATH.test(text)) {
    const hint = /\.\.\.|…/.test(text) ? '; "..." stands for the hash, put the real one there' : ''
    throw new Error(`${mismatch('a store path, "/nix/store/<32 characters>-<name>"', text).message}${hint}`)
  }
  if (text.endsWith('.drv')) {
    throw new Error(
      'must be the path of a built system, not of its .drv file: a machine never runs a .drv file',
    )
  }
  return text
})

/**
 * What git-check-ref-format(1) allows for a branch, without the forms that only Git's own tools make, and without HEAD,
 * which Git refuses too.
 */
const BRANCH_NAME =
  /^(?!HEAD$)(?!.*(\.\.|\/\/|\/\.|@\{|\.lock(\/|$)))[^-/.\s~^:?*[\\\p{Cc}][^\s~^:?*[\\\p{Cc}]{0,254}(?<![/.])$/u

export const isBranchName = (text: string): boolean => BRANCH_NAME.test(text)

export const branch = patternKind('branch name', 'a branch name such as "main"', BRANCH_NAME)

/** A Git address as Nix or Git writes it. Never quoted in errors: people put tokens into them. */
export const flakeUrl = textKind('Git URL', 'a Git URL', (text) => {
  if (/[\s\p{Cc}]/u.test(text) || text.startsWith('-') || text.length > 2048) {
    throw new Error('must be a Git URL such as "git+https://github.com/yourorg/nixos-configs"')
  }
  if (holdsCredentials(text)) {
    throw new Error(
      'must not hold a user name, password or token: use ssh_key_file, netrc_file or access_tokens_file',
    )
  }
  return text
})

function holdsCredentials(text: string): boolean {
  if (/[?&](access_token|private_token|token|password)=/i.test(text)) return true
  const [, scheme = '', userinfo] = /^([a-z0-9+.-]+):\/\/(?:([^/?#]*)@)?/i.exec(text) ?? []
  if (userinfo === undefined) return false
  // `ssh://git@host` names an account and is no secret; over HTTP a lone user name is a token.
  return userinfo.includes(':') || !/(^|\+)ssh$/i.test(scheme)
}
