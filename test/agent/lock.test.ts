import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lockStateDirectory } from '../../src/agent/lock.ts'
import { captureLog } from '../support/agent.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

test('a state directory belongs to one agent at a time', async () => {
  const directory = await temporaryDirectory()
  const { log } = captureLog()
  const release = await lockStateDirectory(directory, log)
  await expect(lockStateDirectory(directory, log)).rejects.toThrow('another agent is running')
  await release()
  const releaseAgain = await lockStateDirectory(directory, log)
  await releaseAgain()
})

test('the lock of a killed process is taken over', async () => {
  const directory = await temporaryDirectory()
  const module = new URL('../../src/agent/lock.ts', import.meta.url).href
  const script = `const { lockStateDirectory } = await import(${JSON.stringify(module)})
    await lockStateDirectory(${JSON.stringify(directory)}, console)
    console.log('locked')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await readFile(join(directory, 'agent.lock'), 'utf8')).toMatch(`${child.pid} `)
  const release = await lockStateDirectory(directory, captureLog().log)
  await release()
})

test.each(['', 'x', '99999999 1 boot\n', '-1', `${process.pid} 1 another-boot\n`])(
  'a lock that reads %j, of no process that runs, is taken over',
  async (content) => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'agent.lock'), content)
    const release = await lockStateDirectory(directory, captureLog().log)
    await release()
  },
)

test('where no lock can be made the agent runs without', async () => {
  const { log, lines } = captureLog()
  const release = await lockStateDirectory(join(await temporaryDirectory(), 'missing'), log)
  await release()
  expect(lines[0]).toMatchObject({ level: 'warn' })
})
