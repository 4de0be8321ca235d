import { join } from 'node:path'
import { bundleAgent, bundleCommands } from './bundle.ts'
import { buildWeb } from './web.ts'

const root = join(import.meta.dirname, '../..')
const dist = join(root, 'dist')
const agent = join(dist, 'crystal-forge-agent.js')
const commands = {
  'crystal-forge': join(root, 'src/cli/main.ts'),
  'cf-keygen': join(root, 'src/cli/keygen-main.ts'),
}

await bundleAgent(join(root, 'src/agent/main.ts'), agent)
await bundleCommands(commands, dist)
const web = await buildWeb(root)
console.log([agent, ...Object.keys(commands).map((name) => join(dist, `${name}.js`)), web].join('\n'))
