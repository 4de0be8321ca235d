import { join } from 'node:path'
import { buildWeb } from './web.ts'

await buildWeb(join(import.meta.dirname, '../..'))
