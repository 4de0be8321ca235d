import { afterAll, beforeAll, expect, test } from 'vitest'
import { SYNC_FLAKE } from '../../src/store/job-queue.ts'
import { startTestEvaluator } from '../support/evaluator.ts'
import { createFlakeRepository } from '../support/flake-repository.ts'
import { fleetCli } from '../support/fleet-cli.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { waitFor } from '../support/wait.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
let cli: ReturnType<typeof fleetCli>

beforeAll(async () => {
  server = await startTestServer()
  cli = fleetCli(server)
})
afterAll(() => server.stop())

test(
  'flakes sync --wait shows how far it is until the head is evaluated, and what came of it',
  { timeout: 90_000 },
  async () => {
    const { url, commitFlake, git } = await createFlakeRepository()
    await commitFlake({ good: 'nixos "good" { }', bad: 'throw "no such disk"' })
    const { id } = await cli.json('flakes', 'add', url)
    const sha = (await git('rev-parse', 'HEAD')).slice(0, 12)
    const running = cli.run('flakes', 'sync', String(id), '--wait')
    await waitFor(async () => (await server.jobs(SYNC_FLAKE)).length > 0)
    await startTestEvaluator(server)
    const { code, stdout, stderr } = await running
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout:
        `flake ${id} is at ${sha}, "change": 2 configurations, ` +
        `1 failed (\`crystal-forge evaluations list --flake ${id} --status failed\`)\n`,
    })
    expect(stderr.split('\n')[0]).toMatch(new RegExp(`^flake ${id}: (Git is asked for its head|${sha})`))
    await commitFlake({ good: 'nixos "good" { version = "2"; }', bad: 'nixos "bad" { }' })
    const { flakes } = await cli.json('flakes', 'sync', url, '--wait')
    expect(flakes).toMatchObject([
      { id, url, head: { status: 'evaluated', succeeded: 2, failed: 0, changed: 1 } },
    ])
    await commitFlake({}, { 'flake.nix': '{ outputs = ' })
    expect(await cli.run('flakes', 'sync', url, '--wait')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/crystal-forge: flake \d+: [0-9a-f]{12} cannot be evaluated \(\w+\): /),
    })
  },
)

test('flakes sync --wait fails when Git cannot be asked, and says why', async () => {
  await startTestEvaluator(server)
  const { id } = await cli.json('flakes', 'add', `git+file://${await temporaryDirectory()}`)
  const { code, stdout, stderr } = await cli.run('flakes', 'sync', String(id), '--wait')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(new RegExp(`crystal-forge: flake ${id} cannot be fetched: cannot fetch file:`))
})
