import { Command } from 'commander'
import { printCreatedLink } from './created-link.ts'

export function createSetUpLinkCommand(): Command {
  return new Command('setup-link')
    .summary('a new link that makes the first administrator')
    .description(
      'Prints a new link that makes the first administrator, and keeps it in the file setup-link of the state directory. ' +
        'The one before does not work any more. Goes straight to the database that the configuration names: run it where ' +
        'the server runs, as its user. Where there are users already, it is `users password-link --database` that lets an ' +
        'admin in again.',
    )
    .option('--json', 'print JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      // imported here: no other command of these needs the server's code
      const { createSetUpLinkInDatabase } = await import('./links-database.ts')
      const link = await createSetUpLinkInDatabase()
      const about = 'With this link you make the first administrator; the one before does not work any more.'
      printCreatedLink(link, { about, json, answer: { link } })
    })
}
