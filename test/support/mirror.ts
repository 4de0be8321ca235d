import { join } from 'node:path'
import type { Credentials } from '../../src/evaluator/credentials.ts'
import { createMirror, type Mirror } from '../../src/evaluator/git/mirror.ts'
import { parseFlakeUrl } from '../../src/fleet/flake-url.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export const NO_CREDENTIALS: Credentials = {
  sshKey: null,
  knownHostsFile: null,
  netrc: null,
  accessTokens: null,
}

export interface TestMirror extends Mirror {
  /** Where it is; made by the first fetch. */
  directory: string
  /** Another one on the same directory, as after a restart. */
  again: () => Mirror
}

/** A mirror of the repository that `url`, a flake's address, leads to; gone when the test is over. */
export async function createTestMirror(
  url: string,
  options: { credentials?: Partial<Credentials>; timeoutMs?: number } = {},
): Promise<TestMirror> {
  const directory = join(await temporaryDirectory(), 'mirror.git')
  const make = (): Mirror =>
    createMirror({
      directory,
      url: parseFlakeUrl(url),
      credentials: { ...NO_CREDENTIALS, ...options.credentials },
      timeoutMs: options.timeoutMs ?? 20_000,
    })
  return { ...make(), directory, again: make }
}
