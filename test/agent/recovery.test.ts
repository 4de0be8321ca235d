import { copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { drain, expectChain, make, names, openTestOutbox, spoolFiles } from '../support/outbox.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('after a crash', () => {
  test('between spooling a report and writing the state the chain goes on', async () => {
    const stateDir = await temporaryDirectory()
    const state = join(stateDir, 'state.json')
    const outbox = await openTestOutbox(stateDir)
    await make(outbox, 'a')
    await copyFile(state, `${state}.before`)
    await make(outbox, 'b')
    await copyFile(`${state}.before`, state)
    const after = await openTestOutbox(stateDir)
    await make(after, 'c')
    const sent = await drain(after)
    expect(names(sent)).toEqual(['a', 'b', 'c'])
    expectChain(sent)
  })

  test('what that report had told to be dropped is not told again', async () => {
    const stateDir = await temporaryDirectory()
    const state = join(stateDir, 'state.json')
    const outbox = await openTestOutbox(stateDir)
    await make(outbox, 'a')
    await outbox.setAside((await outbox.next())!.report)
    await copyFile(state, `${state}.before`)
    await make(outbox, 'b')
    await copyFile(`${state}.before`, state)
    const after = await openTestOutbox(stateDir)
    await make(after, 'c')
    const sent = await drain(after)
    expect(sent.map(({ dropped }) => dropped)).toEqual([1, 0])
    expectChain(sent)
  })

  test('between noting an acceptance and removing the file it is not sent again', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await openTestOutbox(stateDir)
    await make(outbox, 'a')
    const [file] = await spoolFiles(stateDir)
    const body = await readFile(file!)
    await drain(outbox)
    await writeFile(file!, body)
    const after = await openTestOutbox(stateDir)
    expect(after.isEmpty()).toBe(true)
    expect(await spoolFiles(stateDir)).toEqual([])
  })

  test('between counting a report as dropped and moving its file it is counted once', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await openTestOutbox(stateDir)
    await make(outbox, 'a')
    const [file] = await spoolFiles(stateDir)
    const body = await readFile(file!)
    await outbox.setAside((await outbox.next())!.report)
    await writeFile(file!, body)
    const after = await openTestOutbox(stateDir)
    expect(after.isEmpty()).toBe(true)
    expect(after.state.dropped).toBe(1)
  })

  test('in the middle of making reports again, the old ones are there', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await openTestOutbox(stateDir)
    await make(outbox, 'a', 'b')
    const [file] = await spoolFiles(stateDir)
    const unfinished = join(stateDir, 'spool', '2.tmp')
    await mkdir(unfinished)
    await copyFile(file!, join(unfinished, '9000000000000000-' + 'a'.repeat(64) + '.json'))
    const after = await openTestOutbox(stateDir)
    expect(names(await drain(after))).toEqual(['a', 'b'])
    expect(await readdir(join(stateDir, 'spool'))).toEqual(['1'])
  })

  test('after making reports again and before writing the state, the new ones are there', async () => {
    const stateDir = await temporaryDirectory()
    const state = join(stateDir, 'state.json')
    const outbox = await openTestOutbox(stateDir)
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
    const after = await openTestOutbox(stateDir)
    await make(after, 'd')
    const sent = await drain(after)
    expect(names(sent)).toEqual(['b', 'c', 'd'])
    expect(sent.map(({ dropped }) => dropped)).toEqual([1, 0, 0])
    expectChain(sent)
  })

  test('after making a report again, what was dropped since it was first made is still told', async () => {
    const stateDir = await temporaryDirectory()
    const state = join(stateDir, 'state.json')
    const outbox = await openTestOutbox(stateDir)
    const setAsideNext = async (): Promise<void> => outbox.setAside((await outbox.next())!.report)
    await make(outbox, 'a', 'b')
    await setAsideNext()
    await make(outbox, 'c')
    await setAsideNext()
    await copyFile(state, `${state}.before`)
    await outbox.next()
    await outbox.renumber(Date.now() + 1000)
    await copyFile(`${state}.before`, state)
    const after = await openTestOutbox(stateDir)
    await make(after, 'd')
    const sent = await drain(after)
    expect(names(sent)).toEqual(['c', 'd'])
    expect(sent.map(({ dropped }) => dropped)).toEqual([1, 1])
    expectChain(sent)
  })

  test('between counting a damaged file and moving it, it is counted once', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await openTestOutbox(stateDir)
    await make(outbox, 'a', 'b')
    const [file] = await spoolFiles(stateDir)
    await truncate(file!, 10)
    await openTestOutbox(stateDir)
    await writeFile(file!, 'damaged')
    expect((await openTestOutbox(stateDir)).state.dropped).toBe(1)
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
    const outbox = await openTestOutbox(stateDir)
    await make(outbox, 'a', 'b', 'c')
    await damage((await spoolFiles(stateDir))[1]!)
    await openTestOutbox(stateDir)
    const after = await openTestOutbox(stateDir)
    expect(after.state.dropped).toBe(1)
    expect(await readdir(join(stateDir, 'set-aside'))).toHaveLength(1)
    await make(after, 'd')
    const sent = await drain(after)
    expect(names(sent)).toEqual(['a', 'c', 'd'])
    expect(sent[2]).toMatchObject({ dropped: 1, previous: sent[1]!.id })
  })

  test('files that are no reports are left alone, and unfinished ones removed', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await openTestOutbox(stateDir)
    await make(outbox, 'a')
    const directory = join(stateDir, 'spool', '1')
    await writeFile(join(directory, '.0000000000000001-ab.json.0a1b2c.tmp'), 'half')
    await writeFile(join(directory, 'README'), 'not mine')
    const after = await openTestOutbox(stateDir)
    expect(names(await drain(after))).toEqual(['a'])
    expect(await readdir(directory)).toEqual(['README'])
  })

  test.each(['', '{', '{}', '[]', '{"version":1,"sequences":{"heartbeat":-1,"state":0}}', '\u0000\u0000'])(
    'a state file that reads %j is kept aside, and the chain follows from the spool',
    async (text) => {
      const stateDir = await temporaryDirectory()
      const outbox = await openTestOutbox(stateDir)
      await make(outbox, 'a')
      await writeFile(join(stateDir, 'state.json'), text)
      const after = await openTestOutbox(stateDir)
      expect(await readFile(join(stateDir, 'state.json.corrupt'), 'utf8')).toBe(text)
      await make(after, 'b')
      const sent = await drain(after)
      expect(names(sent)).toEqual(['a', 'b'])
      expectChain(sent)
    },
  )

  test('without its state file the chain follows from the spool', async () => {
    const stateDir = await temporaryDirectory()
    const outbox = await openTestOutbox(stateDir)
    await make(outbox, 'a')
    await rm(join(stateDir, 'state.json'))
    const after = await openTestOutbox(stateDir)
    await make(after, 'b')
    expectChain(await drain(after))
  })
})
