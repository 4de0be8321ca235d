import { copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openOutbox, type Outbox, type OutboxOptions } from '../../src/agent/outbox.ts'
import { systemDigest, type HeartbeatFacts, type Observation } from '../../src/agent/report.ts'
import { stateDigest } from '../../src/protocol/digests.ts'
import type { ReportReason } from '../../src/protocol/limits.ts'
import type { StateReport } from '../../src/protocol/messages.ts'
import { parseHeartbeat, parseStateReport } from '../../src/protocol/parse.ts'
import { breakDirectory, captureLog, storePath } from '../support/agent.ts'
import { createFingerprint, createSystemState } from '../support/messages.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const LIMITS = { reports: 512, bytes: 16 * 1024 * 1024 }

async function open(stateDir: string, options: Partial<OutboxOptions> = {}): Promise<Outbox> {
  const { log } = captureLog()
  return await openOutbox({ stateDir, clock: Date.now, log, limits: LIMITS, ...options })
}

function observe(name: string): Observation {
  const fingerprint = createFingerprint()
  const system = { ...createSystemState(), current: storePath(name) }
  return {
    observedAtMs: Date.now(),
    bootId: '0b1f2c3d-1111-2222-3333-444455556666',
    fingerprint,
    system,
    digest: stateDigest({ fingerprint, system }),
    systemDigest: systemDigest(system),
  }
}

async function make(outbox: Outbox, ...names: string[]): Promise<void> {
  for (const name of names) await outbox.make(observe(name), 'config_change')
}

async function makeFor(outbox: Outbox, ...reports: [string, ReportReason][]): Promise<void> {
  for (const [name, reason] of reports) await outbox.make(observe(name), reason)
}

function beat({ bootId, digest }: Observation): HeartbeatFacts {
  return { bootId, uptimeSecs: 1, current: null, digest }
}

/** Sends everything, and returns it as the server would read it. */
async function drain(outbox: Outbox): Promise<(StateReport & { id: string })[]> {
  const sent = []
  for (let next = await outbox.next(); next !== null; next = await outbox.next()) {
    sent.push({ ...parseStateReport(next.body).value, id: next.report.id })
    await outbox.accepted(next.report)
  }
  return sent
}

const names = (reports: StateReport[]): string[] =>
  reports.map(({ system }) => system!.current!.slice(storePath('').length))

async function spoolFiles(stateDir: string): Promise<string[]> {
  const entries = await readdir(join(stateDir, 'spool'), { recursive: true })
  return entries
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(stateDir, 'spool', name))
}

/** A chain without a gap: each names the one before, and sequences rise. */
function expectChain(reports: (StateReport & { id: string })[]): void {
  for (const [index, report] of reports.entries()) {
    if (index === 0) continue
    expect(report.previous).toBe(reports[index - 1]!.id)
    expect(report.sequence).toBeGreaterThan(reports[index - 1]!.sequence)
  }
}

describe('reports', () => {
  test('are sent in the order they were made, each naming the one before', async () => {
    const outbox = await open(await temporaryDirectory())
    await make(outbox, 'a', 'b', 'c')
    const sent = await drain(outbox)
    expect(names(sent)).toEqual(['a', 'b', 'c'])
    expect(sent[0]!.previous).toBeNull()
    expectChain(sent)
  })

  test('are on disk, byte for byte, before they can be sent', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await open(stateDir)
    await make(outbox, 'a')
    const { body } = (await outbox.next())!
    const [file] = await spoolFiles(stateDir)
    expect(await readFile(file!)).toEqual(body)
    // What a kill -9 leaves is what is on disk now.
    const after = await open(stateDir)
    expect((await after.next())!.body).toEqual(body)
  })

  test('are gone when they are accepted', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await open(stateDir)
    await make(outbox, 'a', 'b')
    const sent = await drain(outbox)
    expect(await spoolFiles(stateDir)).toEqual([])
    const after = await open(stateDir)
    expect(after.isEmpty()).toBe(true)
    expect(after.state.accepted).toMatchObject({ id: sent[1]!.id, digest: observe('b').digest })
  })

  test('get sequences above the last also when the clock is set back, over a restart too', async () => {
    const stateDir = await temporaryDirectory()
    const ahead = await open(stateDir, { clock: () => 2_000_000_000_000 })
    await make(ahead, 'a')
    const behind = await open(stateDir, { clock: () => 1_000_000_000_000 })
    await make(behind, 'b')
    const sent = await drain(behind)
    expect(sent.map(({ sequence }) => sequence)).toEqual([2_000_000_000_000, 2_000_000_000_001])
  })

  test('get sequences of this century when the clock is far beyond it', async () => {
    const outbox = await open(await temporaryDirectory(), { clock: () => Date.UTC(2200, 0, 1) })
    await make(outbox, 'a')
    expect((await drain(outbox))[0]!.sequence).toBe(1)
  })
})

describe('a spool that is full', () => {
  const limits = { reports: 4, bytes: 16 * 1024 * 1024 }
  test('drops the oldest state_delta first, then the oldest, and counts them', async () => {
    const outbox = await open(await temporaryDirectory(), { limits })
    await makeFor(
      outbox,
      ['a', 'startup'],
      ['b', 'state_delta'],
      ['c', 'config_change'],
      ['d', 'state_delta'],
      ['e', 'config_change'],
      ['f', 'config_change'],
      ['g', 'config_change'],
    )
    const sent = await drain(outbox)
    expect(names(sent)).toEqual(['c', 'e', 'f', 'g'])
    expect(sent.map(({ dropped }) => dropped)).toEqual([0, 1, 1, 1])
  })

  test('does not drop what is being sent', async () => {
    const outbox = await open(await temporaryDirectory(), { limits })
    await makeFor(outbox, ['a', 'state_delta'], ['b', 'config_change'], ['c', 'config_change'])
    const sending = (await outbox.next())!
    await makeFor(outbox, ['d', 'config_change'], ['e', 'config_change'])
    await outbox.accepted(sending.report)
    expect(names(await drain(outbox))).toEqual(['c', 'd', 'e'])
  })

  test('is bounded in bytes too, and always takes the newest', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await open(stateDir, { limits: { reports: 100, bytes: 4000 } })
    await make(outbox, 'a', 'b', 'c', 'd', 'e', 'f')
    const sizes = await Promise.all(
      (await spoolFiles(stateDir)).map(async (path) => (await readFile(path)).length),
    )
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(4000)
    expect(names(await drain(outbox)).at(-1)).toBe('f')
    const tiny = await open(await temporaryDirectory(), { limits: { reports: 100, bytes: 10 } })
    await make(tiny, 'a', 'b')
    expect(names(await drain(tiny))).toEqual(['b'])
  })
})

describe('after a crash', () => {
  test('between spooling a report and writing the state the chain goes on', async () => {
    const stateDir = await temporaryDirectory()
    const state = join(stateDir, 'state.json')
    const outbox = await open(stateDir)
    await make(outbox, 'a')
    await copyFile(state, `${state}.before`)
    await make(outbox, 'b')
    await copyFile(`${state}.before`, state)
    const after = await open(stateDir)
    await make(after, 'c')
    const sent = await drain(after)
    expect(names(sent)).toEqual(['a', 'b', 'c'])
    expectChain(sent)
  })

  test('what that report had told to be dropped is not told again', async () => {
    const stateDir = await temporaryDirectory()
    const state = join(stateDir, 'state.json')
    const outbox = await open(stateDir)
    await make(outbox, 'a')
    await outbox.setAside((await outbox.next())!.report)
    await copyFile(state, `${state}.before`)
    await make(outbox, 'b')
    await copyFile(`${state}.before`, state)
    const after = await open(stateDir)
    await make(after, 'c')
    const sent = await drain(after)
    expect(sent.map(({ dropped }) => dropped)).toEqual([1, 0])
    expectChain(sent)
  })

  test('between noting an acceptance and removing the file it is not sent again', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await open(stateDir)
    await make(outbox, 'a')
    const [file] = await spoolFiles(stateDir)
    const body = await readFile(file!)
    await drain(outbox)
    await writeFile(file!, body)
    const after = await open(stateDir)
    expect(after.isEmpty()).toBe(true)
    expect(await spoolFiles(stateDir)).toEqual([])
  })

  test('between counting a report as dropped and moving its file it is counted once', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await open(stateDir)
    await make(outbox, 'a')
    const [file] = await spoolFiles(stateDir)
    const body = await readFile(file!)
    await outbox.setAside((await outbox.next())!.report)
    await writeFile(file!, body)
    const after = await open(stateDir)
    expect(after.isEmpty()).toBe(true)
    expect(after.state.dropped).toBe(1)
  })

  test('in the middle of making reports again, the old ones are there', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await open(stateDir)
    await make(outbox, 'a', 'b')
    const [file] = await spoolFiles(stateDir)
    const unfinished = join(stateDir, 'spool', '2.tmp')
    await mkdir(unfinished)
    await copyFile(file!, join(unfinished, '9000000000000000-' + 'a'.repeat(64) + '.json'))
    const after = await open(stateDir)
    expect(names(await drain(after))).toEqual(['a', 'b'])
    expect(await readdir(join(stateDir, 'spool'))).toEqual(['1'])
  })

  test('after making reports again and before writing the state, the new ones are there', async () => {
    const stateDir = await temporaryDirectory()
    const state = join(stateDir, 'state.json')
    const outbox = await open(stateDir)
    await make(outbox, 'a')
    await outbox.setAside((await outbox.next())!.report)
    await make(outbox, 'b', 'c')
    await copyFile(state, `${state}.before`)
    const old = await spoolFiles(stateDir)
    await mkdir(join(stateDir, 'kept'))
    for (const [index, path] of old.entries()) await copyFile(path, join(stateDir, 'kept', `${index}`))
    await outbox.next()
    await outbox.renumber(Date.now() + 1000)
    await copyFile(`${state}.before`, state)
    await mkdir(join(stateDir, 'spool', '1'), { recursive: true })
    for (const [index, path] of old.entries()) await copyFile(join(stateDir, 'kept', `${index}`), path)
    const after = await open(stateDir)
    await make(after, 'd')
    const sent = await drain(after)
    expect(names(sent)).toEqual(['b', 'c', 'd'])
    expect(sent.map(({ dropped }) => dropped)).toEqual([1, 0, 0])
    expectChain(sent)
  })

  test.each([
    ['cut short', (path: string) => truncate(path, 100)],
    ['empty', (path: string) => truncate(path, 0)],
    [
      'changed',
      async (path: string) =>
        writeFile(path, (await readFile(path, 'utf8')).replace('Framework', 'Frameworx')),
    ],
  ])('a file of the spool that is %s is set aside and counted once', async (_what, damage) => {
    const stateDir = await temporaryDirectory()
    const outbox = await open(stateDir)
    await make(outbox, 'a', 'b', 'c')
    await damage((await spoolFiles(stateDir))[1]!)
    await open(stateDir)
    const after = await open(stateDir)
    expect(after.state.dropped).toBe(1)
    expect(await readdir(join(stateDir, 'set-aside'))).toHaveLength(1)
    await make(after, 'd')
    const sent = await drain(after)
    expect(names(sent)).toEqual(['a', 'c', 'd'])
    expect(sent[2]).toMatchObject({ dropped: 1, previous: sent[1]!.id })
  })

  test('files that are no reports are left alone, and unfinished ones removed', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await open(stateDir)
    await make(outbox, 'a')
    const directory = join(stateDir, 'spool', '1')
    await writeFile(join(directory, '.0000000000000001-ab.json.0a1b2c.tmp'), 'half')
    await writeFile(join(directory, 'README'), 'not mine')
    const after = await open(stateDir)
    expect(names(await drain(after))).toEqual(['a'])
    expect(await readdir(directory)).toEqual(['README'])
  })

  test.each(['', '{', '{}', '[]', '{"version":1,"sequences":{"heartbeat":-1,"state":0}}', '\u0000\u0000'])(
    'a state file that reads %j is kept aside, and the chain follows from the spool',
    async (text) => {
      const stateDir = await temporaryDirectory()
      const outbox = await open(stateDir)
      await make(outbox, 'a')
      await writeFile(join(stateDir, 'state.json'), text)
      const after = await open(stateDir)
      expect(await readFile(join(stateDir, 'state.json.corrupt'), 'utf8')).toBe(text)
      await make(after, 'b')
      const sent = await drain(after)
      expect(names(sent)).toEqual(['a', 'b'])
      expectChain(sent)
    },
  )

  test('without its state file the chain follows from the spool', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await open(stateDir)
    await make(outbox, 'a')
    await rm(join(stateDir, 'state.json'))
    const after = await open(stateDir)
    await make(after, 'b')
    expectChain(await drain(after))
  })
})

describe('a spool that cannot be written', () => {
  test('keeps reports in memory, says so in the next, and writes them when it can again', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await open(stateDir)
    await make(outbox, 'a')
    const repair = await breakDirectory(join(stateDir, 'spool', '1'))
    await make(outbox, 'b', 'c')
    expect(outbox.state.spoolFailed).toBe(true)
    await repair()
    await make(outbox, 'd', 'e')
    expect(await spoolFiles(stateDir)).toHaveLength(5)
    const after = await open(stateDir)
    const sent = await drain(after)
    expect(names(sent)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(sent.map((report) => report.spool_failed)).toEqual([false, false, true, true, false])
    expectChain(sent)
  })

  test('does not stop reports, also when nothing in the state directory can be read or written', async () => {
    const stateDir = join(await temporaryDirectory(), 'state')
    await breakDirectory(stateDir)
    const { log, lines } = captureLog()
    const outbox = await open(stateDir, { log })
    await make(outbox, 'a', 'b')
    const heartbeat = parseHeartbeat(await outbox.heartbeat(beat(observe('b')))).value
    const again = parseHeartbeat(await outbox.heartbeat(beat(observe('b')))).value
    expect(again.sequence).toBeGreaterThan(heartbeat.sequence)
    const sent = await drain(outbox)
    expect(sent.map((report) => report.spool_failed)).toEqual([true, true])
    expectChain(sent)
    expect(lines.some(({ level }) => level === 'error')).toBe(true)
  })

  test('counts what is lost with the process', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await open(stateDir)
    const repair = await breakDirectory(join(stateDir, 'spool'))
    await make(outbox, 'a')
    await outbox.close()
    await repair()
    const after = await open(stateDir)
    await make(after, 'b')
    expect((await drain(after))[0]).toMatchObject({ dropped: 1, spool_failed: true })
  })

  test('can be one in which reports are made again: in memory, and on disk as soon as it can be', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await open(stateDir)
    await make(outbox, 'a', 'b')
    await outbox.next()
    const obstacle = join(stateDir, 'spool', '2')
    await mkdir(join(obstacle, 'in-the-way'), { recursive: true })
    const lastSequence = Date.now() + 1_000_000
    await outbox.renumber(lastSequence)
    await rm(obstacle, { recursive: true })
    await make(outbox, 'c')
    const sent = await drain(await open(stateDir))
    expect(names(sent)).toEqual(['a', 'b', 'c'])
    expect(sent.map(({ sequence }) => sequence - lastSequence)).toEqual([1, 2, 3])
    expect(sent[2]!.spool_failed).toBe(true)
    expectChain(sent)
  })
})
