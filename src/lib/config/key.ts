import type { Secret } from '../secret.ts'
import type { Kind } from './kinds.ts'

/** Who needs the content of a file: a process, or everything that connects to the database. */
export type Reader = 'server' | 'evaluator' | 'agent' | 'database'

export interface DefaultContext {
  env: Readonly<Record<string, string | undefined>>
  /** Effective user id. */
  uid: number
}

/** One configuration key: everything that is known about it, in one place. */
export interface Key<T> {
  kind: Kind<T>
  presence: 'default' | 'optional' | 'required'
  /** As the file would give it; null where there is none. */
  defaultValue: (context: DefaultContext) => unknown
  /** For the documentation, where the default is not one value. */
  defaultText?: string
  description: string
  /** As the file would give it. */
  example: unknown
  secret: boolean
  /** Names a file: who needs it, and the member its content becomes, unless it is used by path alone. */
  file?: { readers: readonly Reader[]; member: string | null }
}

/** A key whose file's content becomes the member `Member`. */
export interface SecretFileKey<T, Member extends string> extends Key<T> {
  file: { readers: readonly Reader[]; member: Member }
}

export type Keys = Readonly<Record<string, Key<unknown>>>

type Contents<T> = T extends readonly unknown[] ? Secret[] : Secret | null

/** The values of a section: each key's, and the contents of its secret files. */
export type Values<K extends Keys> = {
  [Name in keyof K]: K[Name] extends Key<infer T> ? T : never
} & {
  [
    Name in keyof K as K[Name] extends SecretFileKey<unknown, infer Member> ? Member : never
  ]: K[Name] extends Key<infer T> ? Contents<T> : never
}

interface About {
  description: string
  example?: unknown
}

/** A key with a default, which is given as the file would give it. */
export function defaulted<T>(
  kind: Kind<T>,
  value: string | number | boolean | string[],
  about: About,
): Key<T> {
  return { kind, presence: 'default', defaultValue: () => value, example: value, secret: false, ...about }
}

/** A key whose default depends on the machine. */
export function computed<T>(
  kind: Kind<T>,
  compute: (context: DefaultContext) => string,
  about: About & { defaultText: string; example: unknown },
): Key<T> {
  return { kind, presence: 'default', defaultValue: compute, secret: false, ...about }
}

/** A key that is null when it is not given, or given as "". */
export function optional<T>(kind: Kind<T>, about: About & { example: unknown }): Key<T | null> {
  return { kind: nullable(kind), presence: 'optional', defaultValue: () => null, secret: false, ...about }
}

export function required<T>(kind: Kind<T>, about: About & { example: unknown }): Key<T> {
  return { kind, presence: 'required', defaultValue: () => null, secret: false, ...about }
}

function nullable<T>(kind: Kind<T>): Kind<T | null> {
  return {
    type: kind.type,
    fromText: (text) => (text === '' ? '' : kind.fromText(text)),
    parse: (raw, directory) => (raw === '' || raw === null ? null : kind.parse(raw, directory)),
    format: (value) => (value === null ? '' : kind.format(value)),
  }
}

/** A file that is only used by its path; that it can be read is checked for those who need it. */
export function plainFile<T>(key: Key<T>, readers: readonly Reader[]): Key<T> {
  return { ...key, file: { readers, member: null } }
}

/** A file that holds a secret: its content becomes a member of its own. */
export function secretFile<T, Member extends string>(
  key: Key<T>,
  member: Member,
  readers: readonly Reader[],
): SecretFileKey<T, Member> {
  return { ...key, secret: true, file: { readers, member } }
}
