import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLifecycle } from '../../src/lib/lifecycle.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { waitFor } from '../support/wait.ts'

test('steps are undone in reverse order, once', async () => {
  const undone: string[] = []
  const lifecycle = createLifecycle()
  for (const name of ['database', 'server', 'timer']) lifecycle.add(name, () => void undone.push(name))
  await Promise.all([lifecycle.stop(), lifecycle.stop()])
  await lifecycle.stop()
  expect(undone).toEqual(['timer', 'server', 'database'])
})

test('a step that fails does not keep the others, and is named', async () => {
  const undone: string[] = []
  const lifecycle = createLifecycle()
  lifecycle.add('database', () => void undone.push('database'))
  lifecycle.add('server', () => {
    throw new Error('no')
  })
  lifecycle.add('timer', () => Promise.reject(new Error('never')))
  await expect(lifecycle.stop()).rejects.toMatchObject({
    message: 'stopping timer failed; stopping server failed',
    errors: [{ cause: { message: 'never' } }, { cause: { message: 'no' } }],
  })
  expect(undone).toEqual(['database'])
})

test('a step that does not end is given up', async () => {
  const undone: string[] = []
  const lifecycle = createLifecycle({ timeoutMs: 20 })
  lifecycle.add('database', () => void undone.push('database'))
  lifecycle.add('server', () => new Promise(() => {}))
  await expect(lifecycle.stop()).rejects.toMatchObject({
    errors: [{ message: 'stopping server failed', cause: { message: 'not done within 20 ms' } }],
  })
  expect(undone).toEqual(['database'])
})

const lib = (name: string): string =>
  JSON.stringify(new URL(`../../src/lib/${name}.ts`, import.meta.url).href)

async function startPart(
  start: string,
  stop: string,
): Promise<{ process: ChildProcess; output: () => string }> {
  const directory = await temporaryDirectory()
  const script = join(directory, 'part.ts')
  await writeFile(
    script,
    `import { runUntilSignal } from ${lib('lifecycle')}
     import { createLogger } from ${lib('log')}
     const part = { start: async () => { ${start} }, stop: async () => { ${stop} } }
     await runUntilSignal(part, createLogger())
     console.log('after')`,
  )
  const child = spawn(process.execPath, [script], { stdio: 'pipe' })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  return { process: child, output: () => output }
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s stops the part and the process goes on', async (signal) => {
  const part = await startPart(`console.log('started')`, `console.log('part stops')`)
  await waitFor(() => part.output().includes('started'))
  const closed = once(part.process, 'close')
  part.process.kill(signal)
  expect(await closed).toEqual([0, null])
  expect(part.output()).toMatch(/part stops[^]*after/)
})

test('a signal during the start stops the part when it has started', async () => {
  const part = await startPart(
    `console.log('starting'); await new Promise((r) => process.stdin.once('data', r)); console.log('started')`,
    `console.log('part stops')`,
  )
  await waitFor(() => part.output().includes('starting'))
  const closed = once(part.process, 'close')
  part.process.kill('SIGTERM')
  await waitFor(() => part.output().includes('"stopping"'))
  part.process.stdin?.end('go on')
  expect(await closed).toEqual([0, null])
  expect(part.output()).toMatch(/started[^]*part stops/)
})

test('a second signal exits at once', async () => {
  const part = await startPart(
    `console.log('started')`,
    `console.log('stop begins'); await new Promise((r) => setTimeout(r, 600000))`,
  )
  await waitFor(() => part.output().includes('started'))
  part.process.kill('SIGTERM')
  await waitFor(() => part.output().includes('stop begins'))
  const closed = once(part.process, 'close')
  part.process.kill('SIGTERM')
  expect(await closed).toEqual([1, null])
})

test('a start that fails rejects', async () => {
  const part = await startPart(`throw new Error('no database')`, '')
  expect(await once(part.process, 'close')).toEqual([1, null])
  expect(part.output()).toContain('no database')
})
