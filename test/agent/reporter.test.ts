import { expect, test } from 'vitest'
import type { Observed, Observer } from '../../src/agent/observe.ts'
import { createReporter } from '../../src/agent/reporter.ts'
import { captureLog } from '../support/agent.ts'
import { beat, drain, names, observe, openTestOutbox } from '../support/outbox.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** A machine that runs `name`, and that is looked at when the test says so. */
function createSlowObserver() {
  const looks: ((name: string) => void)[] = []
  const observer: Observer = {
    observe: () =>
      new Promise<Observed>((resolve) => {
        looks.push((name) => {
          const observation = observe(name)
          resolve({ observation, boot: { bootId: observation.bootId, uptimeSecs: 1 } })
        })
      }),
    observeLittle: async (digest) => ({ ...beat(observe('a')), digest }),
  }
  return { observer, looks }
}

async function startReporter() {
  const { observer, looks } = createSlowObserver()
  const outbox = await openTestOutbox(await temporaryDirectory())
  const { log } = captureLog()
  const reporter = createReporter({ observer, outbox, log, onWork: () => {} })
  const first = reporter.look('beat')
  await expect.poll(() => looks.length).toBe(1)
  return { reporter, looks, outbox, first }
}

test('changes seen while the machine is looked at are one more look, however many they are', async () => {
  const { reporter, looks, outbox, first } = await startReporter()
  const changes = [1, 2, 3].map(() => reporter.look('change'))
  looks[0]!('a')
  await first
  await expect.poll(() => looks.length).toBe(2)
  looks[1]!('d')
  await Promise.all(changes)
  await reporter.idle()
  expect(looks).toHaveLength(2)
  expect(names(await drain(outbox))).toEqual(['a', 'd'])
})

test('a heartbeat that falls due meanwhile is not lost', async () => {
  const { reporter, looks, first } = await startReporter()
  const rest = [reporter.look('change'), reporter.look('beat'), reporter.look('change')]
  looks[0]!('a')
  await first
  expect(reporter.due()).toBeNull()
  await expect.poll(() => looks.length).toBe(2)
  looks[1]!('a')
  await Promise.all(rest)
  expect(reporter.due()).toMatchObject({ digest: observe('a').digest })
})
