import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseHeartbeat } from '../../src/protocol/parse.ts'
import { breakDirectory, captureLog } from '../support/agent.ts'
import {
  beat,
  drain,
  expectChain,
  make,
  makeFor,
  names,
  observe,
  openTestOutbox,
  spoolFiles,
} from '../support/outbox.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('reports', () => {
  test('are sent in the order they were made, each naming the one before', async () => {
    const outbox = await openTestOutbox(await temporaryDirectory())
    await make(outbox, 'a', 'b', 'c')
    const sent = await drain(outbox)
    expect(names(sent)).toEqual(['a', 'b', 'c'])
    expect(sent[0]!.previous).toBeNull()
    expectChain(sent)
  })

  test('are on disk, byte for byte, before they can be sent', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await openTestOutbox(stateDir)
    await make(outbox, 'a')
    const { body } = (await outbox.next())!
    const [file] = await spoolFiles(stateDir)
    expect(await readFile(file!)).toEqual(body)
    // What a kill -9 leaves is what is on disk now.
    const after = await openTestOutbox(stateDir)
    expect((await after.next())!.body).toEqual(body)
  })

  test('are gone when they are accepted', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await openTestOutbox(stateDir)
    await make(outbox, 'a', 'b')
    const sent = await drain(outbox)
    expect(await spoolFiles(stateDir)).toEqual([])
    const after = await openTestOutbox(stateDir)
    expect(after.isEmpty()).toBe(true)
    expect(after.state.accepted).toMatchObject({ id: sent[1]!.id, digest: observe('b').digest })
  })

  test('get sequences above the last also when the clock is set back, over a restart too', async () => {
    const stateDir = await temporaryDirectory()
    const ahead = await openTestOutbox(stateDir, { clock: () => 2_000_000_000_000 })
    await make(ahead, 'a')
    const behind = await openTestOutbox(stateDir, { clock: () => 1_000_000_000_000 })
    await make(behind, 'b')
    const sent = await drain(behind)
    expect(sent.map(({ sequence }) => sequence)).toEqual([2_000_000_000_000, 2_000_000_000_001])
  })

  test('get sequences of this century when the clock is far beyond it', async () => {
    const outbox = await openTestOutbox(await temporaryDirectory(), { clock: () => Date.UTC(2200, 0, 1) })
    await make(outbox, 'a')
    expect((await drain(outbox))[0]!.sequence).toBe(1)
  })
})

describe('a spool that is full', () => {
  const limits = { reports: 4, bytes: 16 * 1024 * 1024 }
  test('drops the oldest state_delta first, then the oldest, and counts them', async () => {
    const outbox = await openTestOutbox(await temporaryDirectory(), { limits })
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
    const outbox = await openTestOutbox(await temporaryDirectory(), { limits })
    await makeFor(outbox, ['a', 'state_delta'], ['b', 'config_change'], ['c', 'config_change'])
    const sending = (await outbox.next())!
    await makeFor(outbox, ['d', 'config_change'], ['e', 'config_change'])
    await outbox.accepted(sending.report)
    expect(names(await drain(outbox))).toEqual(['c', 'd', 'e'])
  })

  test('is bounded in bytes too, and always takes the newest', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await openTestOutbox(stateDir, { limits: { reports: 100, bytes: 4000 } })
    await make(outbox, 'a', 'b', 'c', 'd', 'e', 'f')
    const sizes = await Promise.all(
      (await spoolFiles(stateDir)).map(async (path) => (await readFile(path)).length),
    )
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(4000)
    expect(names(await drain(outbox)).at(-1)).toBe('f')
    const tiny = await openTestOutbox(await temporaryDirectory(), { limits: { reports: 100, bytes: 10 } })
    await make(tiny, 'a', 'b')
    expect(names(await drain(tiny))).toEqual(['b'])
  })
})

describe('a spool that cannot be written', () => {
  test('keeps reports in memory, says so in the next, and writes them when it can again', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await openTestOutbox(stateDir)
    await make(outbox, 'a')
    const repair = await breakDirectory(join(stateDir, 'spool', '1'))
    await make(outbox, 'b', 'c')
    expect(outbox.state.spoolFailed).toBe(true)
    await repair()
    await make(outbox, 'd', 'e')
    expect(await spoolFiles(stateDir)).toHaveLength(5)
    const after = await openTestOutbox(stateDir)
    const sent = await drain(after)
    expect(names(sent)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(sent.map((report) => report.spool_failed)).toEqual([false, false, true, true, false])
    expectChain(sent)
  })

  test('does not stop reports, also when nothing in the state directory can be read or written', async () => {
    const stateDir = join(await temporaryDirectory(), 'state')
    await breakDirectory(stateDir)
    const { log, lines } = captureLog()
    const outbox = await openTestOutbox(stateDir, { log })
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
    const outbox = await openTestOutbox(stateDir)
    const repair = await breakDirectory(join(stateDir, 'spool'))
    await make(outbox, 'a')
    await outbox.close()
    await repair()
    const after = await openTestOutbox(stateDir)
    await make(after, 'b')
    expect((await drain(after))[0]).toMatchObject({ dropped: 1, spool_failed: true })
  })

  test('can be one in which reports are made again: in memory, and on disk as soon as it can be', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await openTestOutbox(stateDir)
    await make(outbox, 'a', 'b')
    await outbox.next()
    const obstacle = join(stateDir, 'spool', '2')
    await mkdir(join(obstacle, 'in-the-way'), { recursive: true })
    const lastSequence = Date.now() + 1_000_000
    await outbox.renumber(lastSequence)
    await rm(obstacle, { recursive: true })
    await make(outbox, 'c')
    const sent = await drain(await openTestOutbox(stateDir))
    expect(names(sent)).toEqual(['a', 'b', 'c'])
    expect(sent.map(({ sequence }) => sequence - lastSequence)).toEqual([1, 2, 3])
    expect(sent[2]!.spool_failed).toBe(true)
    expectChain(sent)
  })
})
