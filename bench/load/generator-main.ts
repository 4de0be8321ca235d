import type { LoadPlan } from './plan.ts'
import { createRequests } from './requests.ts'
import { sendAll } from './send.ts'

/** The process of the load generator: `prepare` signs the requests of a plan, `send` sends them and answers the result. */
export type GeneratorCommand = { prepare: LoadPlan } | { send: LoadPlan }

const requests = createRequests()
let made: Buffer[] = []

process.on('message', (command: GeneratorCommand) => {
  if ('prepare' in command) {
    made = prepare(command.prepare)
    process.send?.(null)
    return
  }
  const ready = made
  made = []
  void sendAll(ready, command.send).then((result) => process.send?.(result))
})

function prepare(plan: LoadPlan): Buffer[] {
  return Array.from({ length: plan.requests }, (_, index) => {
    const system = index % plan.systems
    const round = Math.floor(index / plan.systems)
    const isReport = plan.reportEvery > 0 && (system + round) % plan.reportEvery === 0
    return isReport ? requests.report(system, plan.changing) : requests.heartbeat(system)
  })
}
