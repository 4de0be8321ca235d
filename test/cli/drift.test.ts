import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fleetCli } from '../support/fleet-cli.ts'
import { STORE_PATH } from '../support/messages.ts'
import { registerTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

/** Of what `status` prints, the lines of three kinds that need attention. */
const attentionLines = (text: string) =>
  text
    .split('\n')
    .filter((line) => /^(unmanaged|pinned mismatch|behind)/.test(line))
    .map((line) => line.split(/ {2,}/))

let server: TestServer
let cli: ReturnType<typeof fleetCli>

const OTHER = STORE_PATH.replace('0c4b', '1c4b')

beforeAll(async () => {
  server = await startTestServer()
  cli = fleetCli(server)
})
afterAll(() => server.stop())

const plain = (text: string): string[] =>
  text
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \([^)]*\)/g, 'TIME')
    .trimEnd()
    .split('\n')

/** Makes the row of a system say this, as if it had been judged so. */
async function judge(hostname: string, values: Record<string, unknown>): Promise<void> {
  const { db } = server.database
  const { id } = await db
    .selectFrom('systems')
    .select('id')
    .where('hostname', '=', hostname)
    .executeTakeFirstOrThrow()
  await db.updateTable('drift').set(values).where('system_id', '=', id).execute()
}

async function addCommit(position: number, subject: string): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    with f as (
      insert into flakes (url, repository) values ('git+https://example.org/x', 'example.org/x')
      on conflict do nothing returning id)
    insert into commits (flake_id, sha, position, subject, status)
    values (coalesce((select id from f), (select id from flakes)), ${String(position).repeat(40)}, ${position},
            ${subject}, 'evaluated') returning id`.execute(server.database.db)
  return rows[0]?.id ?? 0
}

describe('drift', () => {
  test('of a fleet without systems is none', async () => {
    expect(await cli.run('drift', '--exit-code')).toMatchObject({
      code: 0,
      stdout: 'every system is in sync\n',
    })
  })

  test('lists what is not known to be in sync, and does not fail for it', async () => {
    await server.api('POST', '/systems', { body: { hostname: 'quiet1' } })
    const agent = await registerTestAgent(server, { hostname: 'free1' })
    await agent.report()
    const { code, stdout } = await cli.run('drift', '--exit-code')
    expect(code).toBe(0)
    expect(plain(stdout)).toEqual([
      'free1',
      '  unassigned  nothing says what it has to run: give it a flake or a pinned path (systems set)',
      '              since TIME',
      `  runs        ${STORE_PATH}`,
      '',
      'quiet1',
      '  no report  it has not reported what it runs',
      '             since TIME',
      '  runs       unknown',
      '',
      '0 drifted, 2 not known to be in sync',
    ])
  })

  test('names paths and commits, the worst first, leaves out what is in sync, and exits with 3 when asked', async () => {
    for (const hostname of ['bad1', 'old1', 'fine1', 'pin1']) {
      const agent = await registerTestAgent(server, { hostname })
      await agent.report()
    }
    expect((await cli.run('systems', 'set', 'fine1', '--derivation', STORE_PATH)).code).toBe(0)
    expect((await cli.run('systems', 'set', 'pin1', '--derivation', OTHER)).code).toBe(0)
    const [first, second, third] = [
      await addCommit(1, 'first'),
      await addCommit(2, 'second \u001b[2J'),
      await addCommit(3, 'third'),
    ]
    await judge('bad1', {
      state: 'unmanaged',
      standing: 'unmanaged',
      head_commit_id: second,
      desired_commit_id: second,
    })
    await judge('old1', {
      state: 'pending',
      standing: 'behind',
      commits_behind: 1,
      commits_unknown: 2,
      running_path: STORE_PATH,
      desired_path: OTHER,
      running_commit_id: first,
      desired_commit_id: second,
      head_commit_id: third,
    })
    expect((await cli.run('drift')).code).toBe(0)
    const { code, stdout } = await cli.run('drift', '--exit-code')
    expect(code).toBe(3)
    const lines = plain(stdout)
    expect(lines.filter((line) => /^\S+$/.test(line))).toEqual(['bad1', 'pin1', 'old1', 'free1', 'quiet1'])
    expect(lines.at(-1)).toBe('3 drifted, 2 not known to be in sync')
    expect(lines.slice(lines.indexOf('old1'), lines.indexOf('free1'))).toEqual([
      'old1',
      '  behind      1 later commit changes what it has to run, and 2 without a result',
      '              since TIME',
      `  runs        ${STORE_PATH}`,
      '              commit 111111111111 first',
      `  should run  ${OTHER}`,
      '              commit 222222222222 second \\u001b[2J',
      '  head        commit 333333333333 third',
      '              not evaluated for it yet, since TIME',
      '',
    ])
    const { code: jsonCode, stdout: json } = await cli.run('drift', '--exit-code', '--json')
    expect(jsonCode).toBe(3)
    expect(JSON.parse(json)).toMatchObject({
      drifted: 3,
      systems: [
        { hostname: 'bad1', standing: 'unmanaged' },
        { hostname: 'pin1', standing: 'pinned_mismatch', running_path: STORE_PATH, desired_path: OTHER },
        { hostname: 'old1', state: 'pending', standing: 'behind', head_commit: { sha: '3'.repeat(40) } },
        { hostname: 'free1' },
        { hostname: 'quiet1' },
      ],
    })
  })

  test('is in the list of systems, which filters and sorts by it', async () => {
    const { stdout } = await cli.run('systems', 'list', '--standing', 'behind')
    expect(stdout).toContain('behind by 1 (pending)')
    expect(stdout).not.toContain('pin1')
    const { systems } = await cli.json('systems', 'list', '--sort', 'drift')
    expect(systems.map(({ hostname }: { hostname: string }) => hostname)).toEqual([
      'bad1',
      'pin1',
      'old1',
      'free1',
      'quiet1',
      'fine1',
    ])
    expect((await cli.run('systems', 'list', '--drift', 'nonsense')).code).toBe(2)
  })

  test('is in the status also where only the newest commit fails', async () => {
    await server.api('POST', '/systems', { body: { hostname: 'stuck1' } })
    await judge('stuck1', { state: 'evaluation_failed', standing: 'in_sync' })
    const { attention } = await cli.json('status')
    expect(attention).toContainEqual({
      what: 'evaluation failed',
      count: 1,
      hostnames: ['stuck1'],
      flakes: [],
    })
    await server.api('PUT', '/systems/stuck1/archived')
  })

  test('is in the status, counted by how systems stand', async () => {
    const { stdout } = await cli.run('status')
    expect(stdout).toContain(
      'drift         1 unmanaged, 1 pinned mismatch, 1 behind, 1 unassigned, 1 no report, 1 in sync',
    )
    const needing = [
      ['unmanaged', '1', 'bad1'],
      ['pinned mismatch', '1', 'pin1'],
    ]
    // a rollout of today needs nobody
    expect(attentionLines(stdout)).toEqual(needing)
    await sql`update drift set standing_since = now() - interval '25 hours' where standing = 'behind'`.execute(
      server.database.db,
    )
    expect(attentionLines((await cli.run('status')).stdout)).toEqual([
      ...needing,
      ['behind for more than a day', '1', 'old1'],
    ])
  })
})

describe('systems set', () => {
  test('changes what is given, and takes away with --no-', async () => {
    await server.api('POST', '/systems', { body: { hostname: 'set1', environment: 'lab' } })
    const url = 'git+https://example.org/set1'
    const set = await cli.run('systems', 'set', 'set1', '--flake', url, '--configuration', 'conf')
    expect(set).toMatchObject({ code: 0, stdout: 'changed set1: flake_url, configuration\n' })
    expect(await cli.json('systems', 'show', 'set1')).toMatchObject({
      environment: 'lab',
      flake_url: url,
      configuration: 'conf',
    })
    expect(await cli.json('systems', 'set', 'set1', '--no-flake', '--no-environment')).toEqual({
      hostname: 'set1',
      environment: null,
      flake_url: null,
    })
    expect(await cli.json('systems', 'show', 'set1')).toMatchObject({
      flake_url: null,
      configuration: 'conf',
    })
  })

  test('says what is wrong', async () => {
    expect((await cli.run('systems', 'set', 'set1')).code).toBe(2)
    const path = await cli.run('systems', 'set', 'set1', '--derivation', '/etc/passwd')
    expect(path).toMatchObject({ code: 1, stderr: expect.stringContaining('must be a store path') })
    expect((await cli.run('systems', 'set', 'nope', '--no-flake')).stderr).toContain(
      'there is no system nope',
    )
  })
})

test('jobs says when each last ran and when it runs next', async () => {
  const { db } = server.database
  await db
    .insertInto('job_runs')
    .values([
      { name: 'never', next_at: new Date(Date.now() + 3_600_500) },
      { name: 'ran', finished_at: new Date(), failed_at: new Date(), error: 'it \u001b[2J could not' },
    ])
    .execute()
  const { stdout } = await cli.run('jobs')
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ['JOB', 'LAST DONE', 'NEXT', 'LAST FAILED', 'ERROR'],
    ['never', 'never', expect.stringMatching(/^in (1 h|59 min)$/), '-', '-'],
    [
      'ran',
      expect.stringMatching(/now|s ago/),
      '-',
      expect.stringMatching(/now|s ago/),
      'it \\u001b[2J could not',
    ],
  ])
  expect((await cli.json('jobs')).jobs).toHaveLength(2)
})
