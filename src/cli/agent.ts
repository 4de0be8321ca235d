import { Command, Option } from 'commander'
import { runAgent } from '../agent/run.ts'
import { loadConfig } from '../lib/config/load.ts'
import { createLogger } from '../lib/log.ts'
import { warnOfOpenSecrets } from './open-secrets.ts'

export function createAgentCommand(): Command {
  return new Command('agent')
    .description('Reports the state of this machine to the server, as [client] in the configuration says.')
    .addOption(new Option('--once', 'send one report and exit').default(false).conflicts('print'))
    .addOption(new Option('--print', 'print the report without sending it').default(false))
    .action(async ({ once, print }: { once: boolean; print: boolean }) => {
      const config = loadConfig({ env: process.env, cwd: process.cwd(), part: 'agent' })
      const log = createLogger()
      warnOfOpenSecrets(config, log)
      await runAgent(once ? 'once' : print ? 'print' : 'service', {
        client: config.client,
        env: process.env,
        log,
        print: (text) => void process.stdout.write(text),
      })
    })
}
