import { readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { finishCommit, markQueued } from '../../src/store/commit-runs.ts'
import { LOST_EVALUATION, SYNC_FLAKE } from '../../src/store/job-queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTestEvaluator } from '../support/evaluator.ts'
import { createTestRepository, type TestRepository } from '../support/git-repository.ts'
import { createTestJobs } from '../support/jobs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { nixAfter } from '../support/test-nix.ts'
import { createTrackedFleet, flakeOf } from '../support/tracked-fleet.ts'
import { waitFor } from '../support/wait.ts'

const FOREIGN = `/nix/store/${'z'.repeat(32)}-nixos-system-by-hand`

let store: TestDatabase
let repository: TestRepository
let fleet: Awaited<ReturnType<typeof createTrackedFleet>>

beforeEach(async () => {
  store = await createTestDatabase()
  // registered first, done last: the evaluators are stopped by then
  onTestFinished(() => store.drop())
  repository = await createTestRepository()
  fleet = await createTrackedFleet(store, repository)
})

const push = (configurations: Record<string, string>, subject?: string) =>
  repository.commit({ 'flake.nix': flakeOf(configurations) }, subject)

const pathOf = async (sha: string, configuration: string): Promise<string> =>
  (await fleet.evaluation(sha, configuration)).out_path ?? ''

test('a push makes known what each host should run; one that does not change a host leaves it in sync', async () => {
  const first = await push({ web: '"1"', db: '"1"' })
  const [web, db] = [await fleet.addSystem('web'), await fleet.addSystem('db')]
  const { queue } = await startTestEvaluator(store)
  expect((await fleet.ended(first)).status).toBe('evaluated')
  await fleet.run(web, await pathOf(first, 'web'))
  await fleet.run(db, await pathOf(first, 'db'))
  expect((await fleet.readDrift('web')).state).toBe('in_sync')
  expect((await fleet.readDrift('db')).state).toBe('in_sync')
  const before = await fleet.readDrift('db')

  const second = await push({ web: '"2"', db: '"1"' })
  await queue.requests.syncFlake(fleet.flakeId)
  await fleet.ended(second)
  const drift = await fleet.readDrift('web')
  expect(drift).toMatchObject({
    state: 'behind',
    running_sha: first,
    commits_behind: 1,
    desired_path: await pathOf(second, 'web'),
    running_path: await pathOf(first, 'web'),
  })
  expect(drift.since).toEqual((await fleet.commit(second))?.arrived_at)
  const after = await fleet.readDrift('db')
  expect(after).toMatchObject({ state: 'in_sync', running_sha: second, since: before.since })
})

test('a configuration that fails is evaluation_failed with the reason, and the others go on', async () => {
  const first = await push({ web: '"1"', db: '"1"' })
  const [web, db] = [await fleet.addSystem('web'), await fleet.addSystem('db')]
  const { queue } = await startTestEvaluator(store)
  await fleet.ended(first)
  await fleet.run(web, await pathOf(first, 'web'))
  await fleet.run(db, await pathOf(first, 'db'))
  const second = await push({ web: 'throw "no such disk"', db: '"1"' })
  await queue.requests.syncFlake(fleet.flakeId)
  await fleet.ended(second)
  expect(await fleet.readDrift('web')).toMatchObject({ state: 'evaluation_failed', standing: 'in_sync' })
  expect(await fleet.readDrift('db')).toMatchObject({ state: 'in_sync' })
  const { cause, error } = await fleet.evaluation(second, 'web')
  expect(cause).toBe('throw')
  expect(error).toContain('no such disk')
})

test('what a host runs is found in an older commit, and what no commit explains is unmanaged', async () => {
  const older = await push({ web: '"1"', db: '"1"' })
  const head = await push({ web: '"2"', db: '"1"' })
  const [web, db] = [await fleet.addSystem('web'), await fleet.addSystem('db')]
  const { queue } = await startTestEvaluator(store)
  await fleet.ended(head)
  expect((await fleet.commit(older))?.status).toBe('new')
  await fleet.run(db, FOREIGN)
  expect(await fleet.readDrift('db')).toMatchObject({ state: 'pending', reason: 'searching' })
  await queue.requests.syncFlake(fleet.flakeId)
  await fleet.inState('db', 'unmanaged')
  await fleet.ended(older)
  await fleet.run(web, await pathOf(older, 'web'))
  expect(await fleet.readDrift('web')).toMatchObject({ state: 'behind', running_sha: older })
})

test('a force-push leaves a host off the branch', async () => {
  const base = await push({ web: '"1"' })
  const lost = await push({ web: '"2"' })
  const web = await fleet.addSystem('web')
  const { queue } = await startTestEvaluator(store)
  await fleet.ended(lost)
  await fleet.run(web, await pathOf(lost, 'web'))
  await repository.git('reset', '--quiet', '--hard', base)
  const head = await push({ web: '"3"' })
  await queue.requests.syncFlake(fleet.flakeId)
  await fleet.ended(head)
  const drift = await fleet.inState('web', 'off_branch')
  expect(drift.running_sha).toBe(lost)
  expect((await fleet.commit(lost))?.position).toBeNull()
})

test('a flake that cannot be fetched says why, and heals', async () => {
  const sha = await push({ web: '"1"' })
  await rename(repository.path, `${repository.path}-away`)
  const { queue } = await startTestEvaluator(store)
  const failed = await waitFor(async () => {
    const flake = await fleet.flake()
    return flake.sync_failed_at === null ? null : flake
  })
  expect(failed.sync_error).toMatch(/cannot fetch/)
  await rename(`${repository.path}-away`, repository.path)
  await queue.requests.syncFlake(fleet.flakeId)
  await fleet.ended(sha)
  expect(await fleet.flake()).toMatchObject({ sync_failed_at: null, sync_error: null })
})

test('a commit whose flake is broken fails for all its hosts, with the reason', async () => {
  await fleet.addSystem('web')
  const sha = await repository.commit({ 'flake.nix': '{ outputs = { self }: { nixosConfigurations = ' })
  await startTestEvaluator(store)
  const commit = await fleet.ended(sha)
  expect(commit).toMatchObject({ status: 'failed', cause: 'flake_invalid' })
  expect(commit.error).toContain('flake.nix')
})

test('a thousand announcements of one push are few questions to Git', async () => {
  const sha = await push({ web: '"1"' })
  const jobs = createTestJobs(store.connection)
  onTestFinished(jobs.stop)
  await Promise.all(Array.from({ length: 1000 }, () => jobs.requests.syncFlake(fleet.flakeId)))
  expect(await jobs.waiting(SYNC_FLAKE)).toEqual([{ flakeId: fleet.flakeId }])
  await startTestEvaluator(store)
  await fleet.ended(sha)
})

test('the newest commit comes first, one that it supersedes is skipped, and one that runs is finished', async () => {
  const gate = join(await temporaryDirectory(), 'gate')
  await writeFile(gate, '')
  const wait = `while [ "$1" = eval ] && [ -e ${gate} ]; do /bin/sleep 0.1; done`
  const environment = { ...process.env, PATH: await nixAfter(wait) }
  const running = await push({ web: '"1"' })
  const { queue } = await startTestEvaluator(store, { environment })
  const isIn = (sha: string, status: string) =>
    waitFor(async () => (await fleet.commit(sha))?.status === status, {
      timeoutMs: 30_000,
      what: `${sha} ${status}`,
    })
  await isIn(running, 'running')
  const superseded = await push({ web: '"2"' })
  await queue.requests.syncFlake(fleet.flakeId)
  await isIn(superseded, 'queued')
  const head = await push({ web: '"3"' })
  await queue.requests.syncFlake(fleet.flakeId)
  await isIn(head, 'queued')
  expect((await fleet.commit(running))?.status).toBe('running')
  await rm(gate)
  await isIn(superseded, 'superseded')
  expect((await fleet.commit(running))?.status).toBe('evaluated')
  expect((await fleet.commit(head))?.status).toBe('evaluated')
  expect((await fleet.commit(superseded))?.started_at).toBeNull()
})

test('a commit whose evaluators died one after the other fails, and says so', async () => {
  const lost = await push({ web: '"1"' })
  const head = await push({ web: '"2"' })
  const { queue } = await startTestEvaluator(store)
  await fleet.ended(head)
  const { id: commitId } = await waitFor(() => fleet.commit(lost))
  await queue.boss.send(LOST_EVALUATION, { commitId, again: null })
  expect(await fleet.ended(lost)).toMatchObject({ status: 'failed', cause: 'evaluator_died' })
})

test('a commit that is said to be queued and has no job is evaluated after the next question to Git', async () => {
  const sha = await push({ web: '"1"' })
  const { queue } = await startTestEvaluator(store)
  const { id } = await fleet.ended(sha)
  await markQueued(store.database.db, [id])
  await queue.requests.syncFlake(fleet.flakeId)
  await fleet.ended(sha)
})

test('an evaluator that stops gives its work to another', async () => {
  const slow = Array.from({ length: 8 }, (_, index) => [
    `web${index}`,
    `toString (builtins.foldl' (sum: each: sum + each + ${index}) 0 (builtins.genList (i: i) 3000000))`,
  ])
  const sha = await push(Object.fromEntries(slow))
  const first = await startTestEvaluator(store)
  await waitFor(async () => (await fleet.commit(sha))?.status === 'running', { timeoutMs: 30_000 })
  await first.stop()
  expect((await fleet.commit(sha))?.finished_at).toBeNull()
  await startTestEvaluator(store)
  expect((await fleet.ended(sha)).status).toBe('evaluated')
})

test(
  'without Nix a commit waits and says so, and is evaluated once Nix is there',
  { timeout: 90_000 },
  async () => {
    const programs = await temporaryDirectory()
    for (const name of ['git', 'prlimit', 'setpriv', 'ssh'])
      await symlink(`/usr/bin/${name}`, join(programs, name))
    const sha = await push({ web: '"1"' })
    await startTestEvaluator(store, { environment: { ...process.env, PATH: programs } })
    const waiting = await waitFor(async () => {
      const commit = await fleet.commit(sha)
      return commit?.cause === 'nix_missing' ? commit : null
    })
    expect(waiting.status).toBe('queued')
    expect(waiting.error).toContain('there is no nix on PATH')
    await symlink('/usr/bin/nix', join(programs, 'nix'))
    expect(await fleet.ended(sha)).toMatchObject({ status: 'evaluated', cause: null, error: null })
  },
)

test('a commit that failed for want of something on the machine is tried again at the next poll', async () => {
  const sha = await push({ web: '"1"' })
  const { queue } = await startTestEvaluator(store)
  const { id } = await fleet.ended(sha)
  const failure = {
    status: 'failed',
    cause: 'nix_missing',
    error: 'there is no nix on PATH',
    canHeal: true,
  } as const
  await finishCommit(store.database.db, { id, flakeId: fleet.flakeId }, failure)
  await queue.requests.syncFlake(fleet.flakeId)
  const healed = await waitFor(async () => {
    const commit = await fleet.commit(sha)
    return commit?.status === 'evaluated' ? commit : null
  })
  expect(healed).toMatchObject({ cause: null, can_heal: false })
})

test('what commits left in the store of Nix is deleted when nothing is evaluated for a while', async () => {
  const first = await push({ web: '"1"' })
  const { queue, stateDirectory } = await startTestEvaluator(store)
  await fleet.ended(first)
  const second = await push({ web: '"2"' })
  await queue.requests.syncFlake(fleet.flakeId)
  await fleet.ended(second)
  const roots = () => readdir(join(stateDirectory, 'evaluator/nix/roots'))
  expect(await roots()).toHaveLength(2)
  await waitFor(async () => (await roots()).length === 1, {
    timeoutMs: 25_000,
    what: 'the first one to be deleted',
  })
})
