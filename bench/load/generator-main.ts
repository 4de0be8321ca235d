import type { LoadPlan } from './plan.ts'
import { createRequests } from './requests.ts'
import { sendAll } from './send.ts'

/** The process of the load generator: `prepare` signs the requests of a plan, `send` sends them and answers the result. */
export type GeneratorCommand = { prepare: LoadPlan } | { send: LoadPlan }

const requests = createRequests()
let made: Buffer[] = []

process.on('message', (command: GeneratorCommand) => {
  if ('prepare' in command) {
    made = command.prepare.signed === 'before' ? prepare(command.prepare) : []
    process.send?.(null)
    return
  }
  const ready = made
  made = []
  const { send: plan } = command
  void sendAll((index) => ready[index] ?? make(plan, index), plan).then((result) => process.send?.(result))
})

const prepare = (plan: LoadPlan): Buffer[] =>
  Array.from({ length: plan.requests }, (_, index) => make(plan, index))

function make(plan: LoadPlan, index: number): Buffer {
  const system = index % plan.systems
  const round = Math.floor(index / plan.systems)
  const isReport = plan.reportEvery > 0 && (system + round) % plan.reportEvery === 0
  return isReport ? requests.report(system, plan.changing) : requests.heartbeat(system)
}
