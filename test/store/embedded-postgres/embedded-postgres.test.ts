import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { waitFor } from '../../support/wait.ts'
import {
  createEmbedded,
  createStateDirectory,
  createTemplate,
  ownerOf,
  postgresProcesses,
  postmasterPid,
  query,
  spawnServer,
  startServer,
} from './support.ts'

let template: Awaited<ReturnType<typeof createTemplate>>
beforeAll(async () => {
  template = await createTemplate()
})
afterAll(() => template.remove())

const weAreRoot = process.geteuid?.() === 0

describe('started on an empty state directory', () => {
  test('is a durable PostgreSQL that only its socket and password lead to', async () => {
    const stateDir = await createStateDirectory()
    const { connection } = await startServer(stateDir)
    const settings = `select current_setting('fsync') fsync, current_setting('full_page_writes') full_page_writes,
      current_setting('synchronous_commit') synchronous_commit, current_setting('data_checksums') data_checksums,
      current_setting('listen_addresses') listen_addresses, current_setting('server_encoding') server_encoding`
    expect(await query(connection, settings)).toEqual([
      {
        fsync: 'on',
        full_page_writes: 'on',
        synchronous_commit: 'on',
        data_checksums: 'on',
        listen_addresses: '',
        server_encoding: 'UTF8',
      },
    ])
    await expect(query({ ...connection, password: null }, 'select 1')).rejects.toThrow('cannot connect')
    const modes = ['data', 'run', 'password', 'postgres.log'].map(async (name) => {
      return ((await stat(join(stateDir, 'postgres', name))).mode & 0o777).toString(8)
    })
    expect(await Promise.all(modes)).toEqual(['700', '700', '600', '600'])
  })

  test('runs in a session of its own, so that Ctrl-C is not for it', async () => {
    const stateDir = await createStateDirectory()
    await createEmbedded(stateDir).start()
    const pid = await postmasterPid(stateDir)
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ')
    // proc_pid_stat(5): state, parent, process group, session
    expect(fields?.slice(2, 4)).toEqual([String(pid), String(pid)])
  })

  test('never runs as root, and runs as ourselves when we are not', async () => {
    const stateDir = await createStateDirectory()
    await createEmbedded(stateDir).start()
    const uid = await ownerOf(`/proc/${await postmasterPid(stateDir)}`)
    expect(uid === process.geteuid?.()).toBe(!weAreRoot)
    expect(uid).not.toBe(0)
    expect(await ownerOf(join(stateDir, 'postgres', 'data'))).toBe(uid)
  })

  test('works for a server that is not root', async () => {
    const { uid = 0 } = weAreRoot ? { uid: 65_534 } : { uid: process.geteuid?.() }
    const stateDir = await createStateDirectory()
    const mine = join(stateDir, 'mine')
    await mkdir(mine)
    if (weAreRoot) await chown(mine, uid, uid)
    const server = await startServer(mine, ...(weAreRoot ? [String(uid)] : []))
    expect(await query(server.connection, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(await ownerOf(`/proc/${await postmasterPid(mine)}`)).toBe(uid)
    await server.stop()
    expect(await postgresProcesses(mine)).toEqual([])
  })

  test('puts the socket into a short directory where the state directory has a long path', async () => {
    const stateDir = join(await createStateDirectory(), 'long, "and" odd'.padEnd(90, '-'))
    const postgres = createEmbedded(stateDir)
    const connection = await postgres.start()
    expect(connection.host).toMatch(/^\/tmp\/crystal-forge-[0-9a-f]{16}$/)
    expect(await query(connection, 'select 1 as one')).toEqual([{ one: 1 }])
    await postgres.stop()
    await expect(access(connection.host)).rejects.toThrow('ENOENT')
  })

  test('works in a state directory whose name needs quoting', async () => {
    const connection = await createEmbedded(join(await createStateDirectory(), 'a, "b" \\c')).start()
    expect(await query(connection, 'select 1 as one')).toEqual([{ one: 1 }])
  })
})

describe('over restarts', () => {
  test('the data is there again after a stop, and nothing runs in between', async () => {
    const stateDir = await template.copy()
    const first = createEmbedded(stateDir)
    await query(await first.start(), 'create table t as select 1 as id')
    await first.stop()
    expect(await postgresProcesses(stateDir)).toEqual([])
    expect(await query(await createEmbedded(stateDir).start(), 'select id from t')).toEqual([{ id: 1 }])
  })

  test('a PostgreSQL that a killed server left is taken over, and stopped in the end', async () => {
    const stateDir = await template.copy()
    const server = await startServer(stateDir)
    await query(server.connection, 'create table t as select 1 as id')
    const pid = await postmasterPid(stateDir)
    await server.kill()
    const postgres = createEmbedded(stateDir)
    expect(await query(await postgres.start(), 'select id from t')).toEqual([{ id: 1 }])
    expect(await postmasterPid(stateDir)).toBe(pid)
    await postgres.stop()
    expect(await postgresProcesses(stateDir)).toEqual([])
  })

  test('nothing acknowledged is lost when server and PostgreSQL are killed together', async () => {
    const stateDir = await template.copy()
    const server = await startServer(stateDir)
    await query(server.connection, 'create table t as select 1 as id')
    const pid = await postmasterPid(stateDir)
    await query(server.connection, 'insert into t values (2)')
    process.kill(pid, 'SIGKILL')
    await server.kill()
    const connection = await createEmbedded(stateDir).start()
    expect(await query(connection, 'select id from t order by id')).toEqual([{ id: 1 }, { id: 2 }])
  })

  // A process of the same user, because PostgreSQL itself takes another user's for proof that its own is gone.
  test.each([
    ['a zombie', 'sleep 0.1 & echo $!; exec sleep 600'],
    ['another process by now', 'sleep 600 & echo $!; wait'],
  ])('starts over a lock file whose process is %s', async (what, script) => {
    const stateDir = await template.copy()
    const data = join(stateDir, 'postgres', 'data')
    const uid = await ownerOf(data)
    const parent = spawn('sh', ['-c', script], { uid, detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void process.kill(-parent.pid!, 'SIGKILL'))
    const pid = Number(String((await once(parent.stdout, 'data'))[0]))
    await writeFile(join(data, 'postmaster.pid'), `${pid}\n${data}\n1700000000\n5432\n\n\n`)
    if (what === 'a zombie')
      await waitFor(async () => / Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8')))
    const postgres = createEmbedded(stateDir)
    expect(await query(await postgres.start(), 'select 1 as one')).toEqual([{ one: 1 }])
    expect(postgres.lines.join('')).toContain('removed lock files of a PostgreSQL that was killed')
  })

  test('an initdb that was killed is done again from the start', async () => {
    const stateDir = await createStateDirectory()
    const root = join(stateDir, 'postgres')
    const making = async () => (await readdir(root)).filter((name) => name.startsWith('.making-'))
    const server = spawnServer(stateDir)
    await waitFor(async () => {
      const [name = ''] = await making()
      return (await readdir(join(root, name, 'data'))).includes('base')
    })
    server.kill('SIGKILL')
    await once(server, 'exit')
    expect(await making()).toHaveLength(1)
    const connection = await createEmbedded(stateDir).start()
    expect(await query(connection, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(await making()).toEqual([])
  })
})

describe('shared by servers', () => {
  test('those that start at once get one PostgreSQL, which the last to leave stops', async () => {
    const stateDir = await createStateDirectory()
    const [a, b, c] = await Promise.all([startServer(stateDir), startServer(stateDir), startServer(stateDir)])
    const starts = [a, b, c].map(({ connection }) =>
      query(connection, 'select pg_postmaster_start_time() as at'),
    )
    const [first, ...others] = await Promise.all(starts)
    expect(others).toEqual([first, first])
    await a.stop()
    expect(await query(b.connection, 'select 1 as one')).toEqual([{ one: 1 }])
    await Promise.all([b.stop(), c.stop()])
    expect(await postgresProcesses(stateDir)).toEqual([])
  })
})

describe('when PostgreSQL dies', () => {
  test('it is brought up again where it was', async () => {
    const stateDir = await template.copy()
    const postgres = createEmbedded(stateDir)
    const connection = await postgres.start()
    await query(connection, 'create table t as select 1 as id')
    const pid = await postmasterPid(stateDir)
    process.kill(pid, 'SIGKILL')
    const rows = await waitFor(() => query(connection, 'select id from t'), { what: 'PostgreSQL to be back' })
    expect(rows).toEqual([{ id: 1 }])
    expect(await postmasterPid(stateDir)).not.toBe(pid)
    await waitFor(() => postgres.lines.some((line) => line.includes('the embedded PostgreSQL is back')))
  })

  test('one of its processes dies: the supervisor gets over the recovery', async () => {
    const stateDir = await template.copy()
    const postgres = createEmbedded(stateDir)
    const connection = await postgres.start()
    const rows = await query(
      connection,
      "select pid from pg_stat_activity where backend_type = 'checkpointer'",
    )
    process.kill(Number(rows[0]?.['pid']), 'SIGKILL')
    await waitFor(() => postgres.lines.some((line) => line.includes('the embedded PostgreSQL is back')))
    await postgres.stop()
    expect(await postgresProcesses(stateDir)).toEqual([])
  })
})

describe('when it cannot start', () => {
  test('the error ends with what PostgreSQL logged', async () => {
    const stateDir = await template.copy()
    const postgres = createEmbedded(stateDir, { settings: { fsync: 'off', shared_buffers: 'nonsense' } })
    await expect(postgres.start()).rejects.toMatchObject({
      message: `cannot start the embedded PostgreSQL in ${stateDir}`,
      cause: {
        message: expect.stringMatching(
          /^PostgreSQL ended while starting\. Its log .*\n.*invalid value for parameter "shared_buffers"/,
        ),
      },
    })
  })

  test('a directory that is not of PostgreSQL is left alone', async () => {
    const stateDir = await createStateDirectory()
    const data = join(stateDir, 'postgres', 'data')
    await mkdir(data, { recursive: true })
    await writeFile(join(data, 'precious'), '')
    await expect(createEmbedded(stateDir).start()).rejects.toMatchObject({
      cause: { message: expect.stringContaining('is not a PostgreSQL data directory') },
    })
    expect(await readdir(data)).toEqual(['precious'])
  })
})
