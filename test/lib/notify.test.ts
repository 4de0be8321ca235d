import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createNotifier, withNotifier } from '../../src/lib/notify.ts'
import { captureLog } from '../support/agent.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

function createRecorded(env: Record<string, string>) {
  const sent: string[] = []
  const notifier = createNotifier({
    env: { NOTIFY_SOCKET: '/run/notify', ...env },
    log: captureLog().log,
    run: async (_command, [message = '']) => {
      sent.push(message)
      return { ended: 'exit', code: 0, stderr: '' }
    },
  })
  return { notifier, sent }
}

describe('with NOTIFY_SOCKET', () => {
  test('systemd-notify is started with each message', async () => {
    const directory = await temporaryDirectory()
    const record = join(directory, 'record')
    await writeFile(
      join(directory, 'systemd-notify'),
      `#!/bin/sh\nprintf '%s %s\\n' "$NOTIFY_SOCKET" "$*" >>${record}\n`,
    )
    await chmod(join(directory, 'systemd-notify'), 0o755)
    const { log } = captureLog()
    const env = { PATH: `${directory}:${process.env['PATH']}`, NOTIFY_SOCKET: '/run/notify' }
    const notifier = createNotifier({ env, log })
    await notifier.ready()
    await notifier.stopping()
    expect(await readFile(record, 'utf8')).toBe('/run/notify READY=1\n/run/notify STOPPING=1\n')
  })

  test('trouble with it is logged and stops nothing', async () => {
    const { log, lines } = captureLog()
    const env = { PATH: await temporaryDirectory(), NOTIFY_SOCKET: '/run/notify' }
    await createNotifier({ env, log }).ready()
    expect(lines).toMatchObject([{ level: 'warn', msg: expect.stringContaining('READY=1') }])
  })
})

test('a part is ready when it has started, and stopping before it stops', async () => {
  const { notifier, sent } = createRecorded({})
  const seen: string[][] = []
  const note = async () => void seen.push([...sent])
  const part = withNotifier({ start: note, stop: note }, notifier)
  await part.start()
  await part.stop()
  expect([...seen, sent]).toEqual([[], ['READY=1', 'STOPPING=1'], ['READY=1', 'STOPPING=1']])
})

describe('the watchdog', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('is fed at half its time, from ready to stopping', async () => {
    const { notifier, sent } = createRecorded({
      WATCHDOG_USEC: '60000000',
      WATCHDOG_PID: String(process.pid),
    })
    await vi.advanceTimersByTimeAsync(120_000)
    expect(sent).toEqual([])
    await notifier.ready()
    await vi.advanceTimersByTimeAsync(29_999)
    expect(sent).toEqual(['READY=1'])
    await vi.advanceTimersByTimeAsync(30_002)
    expect(sent).toEqual(['READY=1', 'WATCHDOG=1', 'WATCHDOG=1'])
    await notifier.stopping()
    await vi.advanceTimersByTimeAsync(120_000)
    expect(sent.at(-1)).toBe('STOPPING=1')
  })

  test.each<[string, Record<string, string>]>([
    ['not asked for', {}],
    ["another process's", { WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' }],
    ['without a number', { WATCHDOG_USEC: 'soon' }],
  ])('is left alone when it is %s', async (_what, env) => {
    const { notifier, sent } = createRecorded(env)
    await notifier.ready()
    await vi.advanceTimersByTimeAsync(120_000)
    expect(sent).toEqual(['READY=1'])
  })

  test('without NOTIFY_SOCKET nothing is started', async () => {
    const { notifier, sent } = createRecorded({ NOTIFY_SOCKET: '', WATCHDOG_USEC: '60000000' })
    await notifier.ready()
    await vi.advanceTimersByTimeAsync(120_000)
    await notifier.stopping()
    expect(sent).toEqual([])
  })
})
