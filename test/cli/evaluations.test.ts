import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EVALUATE_COMMIT } from '../../src/store/job-queue.ts'
import {
  addTestFlake,
  evaluateTestCommit,
  moveTestBranch,
  pathOf,
  shaOf,
  type TestCommit,
} from '../support/evaluated.ts'
import { fleetCli } from '../support/fleet-cli.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const HOSTILE = '\u001b[2J\u001b]0;owned\u0007\u202etxet'
const ESCAPED = String.raw`\u001b[2J\u001b]0;owned\u0007\u202etxet`

let server: TestServer
let cli: ReturnType<typeof fleetCli>
let flakeId: number
let two: TestCommit

beforeAll(async () => {
  server = await startTestServer()
  cli = fleetCli(server)
  const { db } = server.database
  flakeId = await addTestFlake(db)
  const subjectOf = (name: string) => (name === 'two' ? HOSTILE : `${name} ${'x'.repeat(80)}`)
  const [first, second] = await moveTestBranch(db, flakeId, ['one', 'two', 'three'], subjectOf)
  if (first === undefined || second === undefined) throw new Error('there are no commits')
  two = second
  await evaluateTestCommit(db, first, { web1: 'web1-1', web2: 'web2-1' })
  const error = `error: ${HOSTILE}\n\n       at hosts/web2.nix:3`
  await evaluateTestCommit(db, two, { web1: 'web1-2', web2: { cause: 'missing_attribute', error } })
})
afterAll(() => server.stop())

const rowsOf = (stdout: string) => stdout.split('\n').map((line) => line.trim().split(/ {2,}/))
const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await cli.run(...args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}
const ago = expect.stringMatching(/^(now|\d+ (s|min) ago)$/)
const idOf = async (configuration: string): Promise<number> =>
  (await cli.json('evaluations', 'list', '--commit', two.sha, '--configuration', configuration))
    .evaluations[0].id

describe('commits', () => {
  test('is a table, newest first, in which no subject acts on the terminal or goes on for ever', async () => {
    expect(rowsOf(await run('commits'))).toEqual([
      ['COMMIT', 'ARRIVED', 'STATUS', 'HOSTS', 'FAILED', 'CHANGED', 'SUBJECT'],
      [shaOf('three').slice(0, 12), ago, 'new', '-', '-', '-', `three ${'x'.repeat(54)}…`],
      [shaOf('two').slice(0, 12), ago, 'evaluated', '2', '1', '1', ESCAPED],
      [shaOf('one').slice(0, 12), ago, 'evaluated', '2', '0', '-', `one ${'x'.repeat(56)}…`],
      [''],
    ])
  })

  test('takes a flake and a limit; --json has the subject as it is', async () => {
    const { commits } = await cli.json('commits', '--flake', 'github:yourorg/fleet', '--limit', '2')
    expect(commits.map(({ sha }: { sha: string }) => sha)).toEqual([shaOf('three'), shaOf('two')])
    expect(commits[1].subject).toBe(HOSTILE)
    expect((await cli.run('commits', '--json')).stdout).not.toContain('\u001b')
    expect((await cli.run('commits', '--flake', '999999')).code).toBe(1)
    expect((await cli.run('commits', '--limit', '0')).code).toBe(2)
  })

  test('of several flakes says which they are, also where there are none', async () => {
    const other = await addTestFlake(server.database.db, { url: 'github:yourorg/empty' })
    const stdout = await run('commits', '--limit', '1')
    expect(stdout).toContain(`flake ${flakeId}, github:yourorg/fleet\nCOMMIT`)
    expect(stdout).toContain(`flake ${other}, github:yourorg/empty\nno commits of flake ${other} yet`)
    await server.api('DELETE', `/flakes/${other}`)
  })
})

describe('evaluations list', () => {
  test('is a table of those that pass the filters', async () => {
    const rows = rowsOf(await run('evaluations', 'list', '--commit', two.sha.slice(0, 12)))
    const sha = two.sha.slice(0, 12)
    expect(rows).toEqual([
      ['ID', 'CONFIGURATION', 'FLAKE', 'COMMIT', 'STATUS', 'NIXOS', 'TOOK', 'EVALUATED'],
      [expect.any(String), 'web1', String(flakeId), sha, 'succeeded', '25.11', '0.5 s', ago],
      [expect.any(String), 'web2', String(flakeId), sha, 'failed: missing_attribute', '-', '0.5 s', ago],
      [''],
    ])
    const { evaluations } = await cli.json(
      'evaluations',
      'list',
      '--flake',
      String(flakeId),
      '--status',
      'failed',
    )
    expect(evaluations).toMatchObject([{ configuration: 'web2', sha: two.sha }])
  })

  test('says that there are more, or none', async () => {
    expect(await run('evaluations', 'list', '--limit', '3')).toContain(
      '\nthere are more than these 3: give filters',
    )
    expect(await run('evaluations', 'list', '--limit', '4')).not.toContain('there are more')
    expect(await run('evaluations', 'list', '--configuration', 'nope')).toBe(
      'no evaluation passes these filters\n',
    )
    expect((await cli.json('evaluations', 'list', '--limit', '3')).evaluations).toHaveLength(3)
  })

  test.each([
    ['--status', 'broken', 2],
    ['--limit', '1.5', 2],
    ['--commit', 'HEAD', 1],
    ['--flake', 'github:no/such', 1],
  ])('%s %s fails', async (option, value, code) => {
    expect((await cli.run('evaluations', 'list', option, value)).code).toBe(code)
  })
})

describe('evaluations show', () => {
  test('has the paths of one that succeeded', async () => {
    const stdout = await run('evaluations', 'show', String(await idOf('web1')))
    expect(stdout).toContain(`web1\n  status     succeeded\n  flake      ${flakeId}, github:yourorg/fleet\n`)
    expect(stdout).toContain(`  commit     ${two.sha}\n             ${ESCAPED}\n`)
    expect(stdout).toContain(`GIVES\n  system                 ${pathOf('web1-2')}\n`)
    expect(stdout).toContain(`  specialisation rescue  ${pathOf('web1-2-rescue')}\n`)
    expect(stdout).toContain('  nixos                  25.11\n')
    expect(stdout).toContain('COST\n  time         0.5 s\n  peak memory  286 MiB\n  nix          2.8.0\n')
  })

  test('has the message of one that failed, which does not act on the terminal', async () => {
    const id = await idOf('web2')
    const stdout = await run('evaluations', 'show', String(id))
    expect(stdout).toContain(
      `FAILED\n  cause      missing attribute\n  try again  crystal-forge evaluations retry ${id}\n\n` +
        `MESSAGE\n  error: ${ESCAPED}\n\n         at hosts/web2.nix:3\n`,
    )
    expect(stdout).not.toContain('\u001b')
    expect((await cli.json('evaluations', 'show', String(id))).error).toContain(HOSTILE)
  })

  test('of none fails', async () => {
    expect(await cli.run('evaluations', 'show', '999999')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no evaluation 999999'),
    })
    expect((await cli.run('evaluations', 'show', 'web1')).code).toBe(2)
  })
})

describe('evaluations retry', () => {
  test('has one evaluated again, once at a time', async () => {
    const id = await idOf('web2')
    expect(await run('evaluations', 'retry', String(id))).toBe(
      `web2 is evaluated again at ${two.sha.slice(0, 12)} of flake ${flakeId}\n`,
    )
    expect(await server.jobs(EVALUATE_COMMIT)).toContainEqual({ commitId: two.id, again: ['web2'] })
    expect(await cli.run('evaluations', 'retry', String(id))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('waits to be evaluated or is being evaluated'),
    })
    expect(await run('evaluations', 'show', String(id))).toContain(
      'its commit is queued to be evaluated again',
    )
  })

  test('has a commit evaluated again, what failed or everything', async () => {
    const one = shaOf('one')
    expect(await run('evaluations', 'retry', '--commit', one, '--all', '--flake', String(flakeId))).toBe(
      `every configuration is evaluated at ${one.slice(0, 12)} of flake ${flakeId}\n`,
    )
    expect(await server.jobs(EVALUATE_COMMIT)).toContainEqual(
      expect.objectContaining({ again: ['web1', 'web2'] }),
    )
    expect(await cli.json('evaluations', 'retry', '--commit', shaOf('three'))).toEqual({
      sha: shaOf('three'),
      flake_id: flakeId,
    })
  })

  test.each([[[]], [['1', '--commit', 'abcdef0']], [['1', '--all']], [['1', '--flake', '1']], [['one']]])(
    'with %j is wrong usage',
    async (args) => {
      expect((await cli.run('evaluations', 'retry', ...args)).code).toBe(2)
    },
  )
})
