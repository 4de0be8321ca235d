import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { runCli } from '../support/cli.ts'

const root = join(import.meta.dirname, '..', '..')

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  expect(await runCli(['--version'], { cwd: '/' })).toMatchObject({
    code: 0,
    stdout: `${version}\n`,
    stderr: '',
  })
})

test('--help lists every command', async () => {
  const { code, stdout, stderr } = await runCli(['--help'], { cwd: '/' })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  for (const { name, summary } of COMMANDS) {
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(`${name} `)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(summary)
  }
  expect(stdout).toContain('3 found what was asked to be reported')
})

test.each(COMMANDS.map(({ name }) => name))('%s has --help, by either way', async (name) => {
  const env = { CRYSTAL_FORGE__DATABASE__PASSWORD: 'planted-hunter2', CRYSTAL_FORGE_TOKEN: 'planted-hunter2' }
  const flag = await runCli([name, '--help'], { cwd: '/', env })
  expect(flag).toMatchObject({ code: 0, stderr: '' })
  expect(flag.stdout).not.toContain('planted-hunter2')
  expect(flag.stdout).toContain(`Usage: crystal-forge ${name}`)
  const command = await runCli(['help', name], { cwd: '/' })
  expect(command).toEqual(flag)
})

test('without a command the help goes to stderr, with status 2', async () => {
  const result = await runCli([], { cwd: '/' })
  expect(result).toMatchObject({ code: 2, stdout: '' })
  expect(result.stderr).toContain('Usage: crystal-forge')
})

test.each([
  [['nonsense'], "unknown command 'nonsense'"],
  [['chekc-config'], "unknown command 'chekc-config' (Did you mean check-config?)"],
  [['--nonsense'], "unknown option '--nonsense'"],
  [['keygen', '--nonsense'], "unknown option '--nonsense'"],
  [['keygen', 'x'], "too many arguments for 'keygen'. Expected 0 arguments but got 1: x."],
  [['keygen', '-f'], "option '-f, --file <path>' argument missing"],
  [['nonsense\u001b[31m'], "unknown command 'nonsense\\u001b[31m'"],
])('%j is wrong usage: one line, status 2', async (args, message) => {
  expect(await runCli(args, { cwd: '/' })).toMatchObject({
    code: 2,
    stdout: '',
    stderr: `crystal-forge: ${message}\n`,
  })
})

test('a reader that leaves early is no failure', async () => {
  const child = spawn(process.execPath, [join(root, 'src/cli/main.ts'), 'check-config'], {
    cwd: '/',
    env: {},
  })
  child.stdout.destroy()
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  expect(await once(child, 'close')).toEqual([0, null])
  expect(stderr).toBe('')
})
