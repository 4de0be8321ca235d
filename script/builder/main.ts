import { join } from 'node:path'
import { bundleAgent } from './bundle.ts'

const root = join(import.meta.dirname, '../..')
const agent = join(root, 'dist/crystal-forge-agent.js')
await bundleAgent(join(root, 'src/agent/main.ts'), agent)
console.log(agent)
