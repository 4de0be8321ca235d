import type { Config } from '../lib/config/load.ts'
import type { Logger } from '../lib/log.ts'

export const OPEN_SECRET = 'every user of this machine can read this secret: chmod o-r, and consider it known'

/**
 * Says in the log which secrets are open to all. They are used all the same: where containers are given their secrets the
 * files often have mode 0644, and there are no other users.
 */
export function warnOfOpenSecrets({ open_secrets: files }: Config, log: Logger): void {
  for (const file of files) log.warn({ file }, OPEN_SECRET)
}
