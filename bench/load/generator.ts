import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { GeneratorCommand } from './generator-main.ts'
import type { LoadPlan, LoadResult } from './plan.ts'

export interface Generator {
  /** Signs what the plan sends, then runs `begin`, then sends. */
  run: (plan: LoadPlan, begin?: () => Promise<void>) => Promise<LoadResult>
  stop: () => void
}

/** A process that sends what many agents would. It remembers their sequences and reports from one plan to the next. */
export function startGenerator(): Generator {
  const child = fork(join(import.meta.dirname, 'generator-main.ts'))
  const ended = once(child, 'exit').then(() => {
    throw new Error('the load generator ended by itself')
  })
  ended.catch(() => {})
  const ask = async (command: GeneratorCommand): Promise<unknown> => {
    const answer = once(child, 'message')
    child.send(command)
    const [message] = await Promise.race([answer, ended])
    return message
  }
  return {
    async run(plan, begin) {
      await ask({ prepare: plan })
      await begin?.()
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- from our own process
      return (await ask({ send: plan })) as LoadResult
    },
    stop: () => {
      child.kill()
    },
  }
}
