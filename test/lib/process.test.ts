import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runProcess, type ProcessOptions, type ProcessResult } from '../../src/lib/process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { waitFor } from '../support/wait.ts'

const sh = (script: string, options: Partial<ProcessOptions> = {}): Promise<ProcessResult> =>
  runProcess('/bin/sh', ['-c', script], {
    env: { PATH: process.env['PATH'] },
    timeoutMs: 20_000,
    maxOutputBytes: 1024,
    ...options,
  })

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Zombies that nobody reaps count as gone: in a container process 1 may not do it. */
async function hasEnded(pid: number): Promise<boolean> {
  if (!isAlive(pid)) return true
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
  return stat.slice(stat.lastIndexOf(')')).startsWith(') Z')
}

test('the result has status, output and errors', async () => {
  expect(await sh('echo out; echo err >&2; exit 7')).toEqual({
    ended: 'exit',
    code: 7,
    signal: null,
    stdout: 'out\n',
    stderr: 'err\n',
  })
})

test('arguments are passed as they are', async () => {
  const result = await runProcess('/bin/echo', ['$HOME; `id`', '"x'], {
    env: {},
    timeoutMs: 20_000,
    maxOutputBytes: 1024,
  })
  expect(result.stdout).toBe('$HOME; `id` "x\n')
})

test('only the environment that is given is passed on', async () => {
  const result = await sh('env', { env: { PATH: '/usr/bin:/bin', GIVEN: 'yes' } })
  expect(result.stdout).toContain('GIVEN=yes')
  expect(result.stdout).not.toContain('VITEST')
})

test('input is written to the program, and one that does not read it is no error', async () => {
  expect((await sh('cat', { input: 'hello' })).stdout).toBe('hello')
  expect(await sh('exit 0', { input: 'x'.repeat(1_000_000) })).toMatchObject({ ended: 'exit', code: 0 })
})

test('a time-out ends the program and everything it started', async () => {
  const directory = await temporaryDirectory()
  const pidFile = join(directory, 'pid')
  // Both ignore SIGTERM, so only SIGKILL for the group ends them.
  const result = await sh(`trap '' TERM; (trap '' TERM; exec sleep 600) & echo $! > ${pidFile}; wait`, {
    timeoutMs: 300,
  })
  expect(result).toMatchObject({ ended: 'timeout', code: null, signal: 'SIGKILL' })
  const pid = Number(await readFile(pidFile, 'utf8'))
  await waitFor(() => hasEnded(pid), { what: 'the grandchild to end' })
})

test('a program that answers SIGTERM with success still counts as timed out', async () => {
  const result = await sh(`trap 'exit 0' TERM; while :; do sleep 0.05; done`, { timeoutMs: 300 })
  expect(result).toMatchObject({ ended: 'timeout', code: null })
})

test('an abort ends the program', async () => {
  const directory = await temporaryDirectory()
  const started = join(directory, 'started')
  const controller = new AbortController()
  const running = sh(`echo x > ${started}; exec sleep 600`, { signal: controller.signal })
  await waitFor(() => readFile(started, 'utf8'))
  controller.abort()
  expect(await running).toMatchObject({ ended: 'abort', code: null, signal: 'SIGTERM' })
})

test('an abort that was before the start starts nothing', async () => {
  const directory = await temporaryDirectory()
  const result = await sh(`touch ${directory}/file`, { signal: AbortSignal.abort() })
  expect(result.ended).toBe('abort')
  await expect(readFile(join(directory, 'file'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a program that writes too much is ended with what it wrote so far', async () => {
  const result = await sh('yes')
  expect(result).toMatchObject({ ended: 'output-limit', code: null })
  expect(result.stdout).toHaveLength(1024)
})

test('output of exactly the limit is complete', async () => {
  const result = await sh('head -c 1024 /dev/zero | tr "\\0" x')
  expect(result).toMatchObject({ ended: 'exit', code: 0, stdout: 'x'.repeat(1024) })
})

test('of errors the end is kept, without half a character', async () => {
  const result = await sh('for i in 1 2 3 4 5 6 7 8 9; do printf "ééééé" >&2; done; printf last >&2', {
    maxOutputBytes: 11,
  })
  expect(result.stderr).toBe('ééélast')
  expect(result.code).toBe(0)
})

test('a program that is not there is an error that names it', async () => {
  await expect(
    runProcess('/nonexistent/program', [], { env: {}, timeoutMs: 1000, maxOutputBytes: 10 }),
  ).rejects.toThrow('cannot start /nonexistent/program')
})

test('programs that still run are killed when this process exits', async () => {
  const directory = await temporaryDirectory()
  const script = join(directory, 'script.ts')
  const library = new URL('../../src/lib/process.ts', import.meta.url).href
  await writeFile(
    script,
    `import { runProcess } from ${JSON.stringify(library)}
     const options = { env: process.env, timeoutMs: 600000, maxOutputBytes: 10 }
     void runProcess('/bin/sh', ['-c', 'echo $$ > ${directory}/pid; exec sleep 600'], options)
     process.stdin.once('end', () => process.exit(0)).resume()`,
  )
  const parent = spawn(process.execPath, [script], { stdio: ['pipe', 'inherit', 'inherit'] })
  const pid = Number(await waitFor(() => readFile(join(directory, 'pid'), 'utf8')))
  const exited = once(parent, 'exit')
  parent.stdin.end()
  expect(await exited).toEqual([0, null])
  await waitFor(() => hasEnded(pid), { what: 'the program to end' })
})
