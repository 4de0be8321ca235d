import { Command, Option } from 'commander'
import { type ApiOptions, openApi, withApiOptions } from '../api-options.ts'
import type { ApiPasswordLink } from '../people-api.ts'
import { formatTime } from '../times.ts'
import { printCreatedLink } from './created-link.ts'

interface LinkOptions extends ApiOptions {
  database: boolean
}

export function createPasswordLinkCommand(): Command {
  const command = new Command('password-link')
    .summary('a link with which a user chooses a password anew')
    .description(
      'Prints a link, this once and valid for three days, with which a user chooses a password; that ends all sessions ' +
        'of the user. An admin makes it over the API. When the last admin has lost the password, --database makes it in ' +
        'the database that the configuration names (run it where the server runs, as its user).',
    )
    .argument('<name>', 'what the user signs in with')
  return withApiOptions(command)
    .addOption(
      new Option('--database', 'write it to the database instead of asking a server')
        .default(false)
        .conflicts(['url', 'tokenFile']),
    )
    .action(async (name: string, options: LinkOptions) => {
      const { now, ...answer } = await createLink(name, options)
      const about = `With this link ${name} chooses a password until ${formatTime(answer.expires_at, now)}.`
      printCreatedLink(answer.link, { about, json: options.json, answer })
    })
}

async function createLink(name: string, options: LinkOptions): Promise<ApiPasswordLink & { now: number }> {
  if (options.database) {
    // imported here: the other way needs no database
    const { createPasswordLinkInDatabase } = await import('./links-database.ts')
    return { ...(await createPasswordLinkInDatabase(name)), now: Date.now() }
  }
  const api = openApi(options)
  const { id } = await api.findUser(name)
  const made = await api.createPasswordLink(id)
  return { ...made, now: api.serverTime() }
}
