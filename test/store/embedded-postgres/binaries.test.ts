import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { firstClosedDirectory } from '../../../src/store/embedded-postgres/system-user.ts'
import { createEmbedded, createStateDirectory, query } from './support.ts'

const VERSION = "select current_setting('server_version_num')::int / 10000 as major"

/** As on a machine on which no PostgreSQL is installed. */
const NOT_INSTALLED = { binaryDirectories: [] }

describe('the binaries', () => {
  test('are the installed ones', async () => {
    const stateDir = await createStateDirectory()
    await createEmbedded(stateDir).start()
    expect(await readdir(join(stateDir, 'postgres'))).not.toContain('software')
  })

  test('are those of npm where none is installed, also when its install scripts have not run', async () => {
    const stateDir = await createStateDirectory()
    const first = createEmbedded(stateDir, NOT_INSTALLED)
    const connection = await first.start()
    expect(await query(connection, VERSION)).toEqual([{ major: 18 }])
    await query(connection, 'create table t as select 1 as id')
    await first.stop()

    const copies = join(stateDir, 'postgres', 'software')
    const before = await readdir(copies)
    expect(before).toHaveLength(1)
    const again = await createEmbedded(stateDir, NOT_INSTALLED).start()
    expect(await query(again, 'select id from t')).toEqual([{ id: 1 }])
    expect(await readdir(copies)).toEqual(before)
  })

  test('are of the version that made the data directory, whatever is installed', async () => {
    const stateDir = await createStateDirectory()
    const npm = createEmbedded(stateDir, NOT_INSTALLED)
    await npm.start()
    await npm.stop()
    expect(await query(await createEmbedded(stateDir).start(), VERSION)).toEqual([{ major: 18 }])
  })

  test('that are missing for a data directory are named, with those that were found', async () => {
    const stateDir = await createStateDirectory()
    const data = join(stateDir, 'postgres', 'data')
    await mkdir(data, { recursive: true })
    await writeFile(join(data, 'PG_VERSION'), '9.6\n')
    await expect(createEmbedded(stateDir, NOT_INSTALLED).start()).rejects.toMatchObject({
      cause: {
        message: expect.stringMatching(
          /made by PostgreSQL 9, and no binaries of that version were found \(found: 18 in .*Install PostgreSQL 9 /,
        ),
      },
    })
  })
})

test('a copy that was killed half-way is removed and made again', async () => {
  const stateDir = await createStateDirectory()
  const copies = join(stateDir, 'postgres', 'software')
  // a process id that is taken, but not since then
  const abandoned = join(copies, `.making-${process.pid}-1-abcd1234`)
  await mkdir(join(abandoned, 'bin'), { recursive: true })
  await createEmbedded(stateDir, NOT_INSTALLED).start()
  expect(await readdir(copies)).toEqual([expect.stringMatching(/^18\./)])
})

describe('a directory on the way that the user of PostgreSQL may not pass', () => {
  test('is found', async () => {
    const stateDir = await createStateDirectory()
    const inner = join(stateDir, 'closed', 'inner')
    await mkdir(inner, { recursive: true })
    const stranger = { name: 'stranger', uid: 12_345, gid: 12_345 }
    expect(await firstClosedDirectory(inner, stranger)).toBeNull()
    await chmod(join(stateDir, 'closed'), 0o750)
    expect(await firstClosedDirectory(inner, stranger)).toBe(join(stateDir, 'closed'))
    await rm(inner, { recursive: true })
  })
})
