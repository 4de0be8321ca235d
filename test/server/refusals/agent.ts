import { sql } from 'kysely'
import { encodeBase64 } from '../../../src/protocol/keys.ts'
import { signRequest } from '../../../src/protocol/sign.ts'
import { createTestAgent, newKey, registerTestAgent } from '../../support/test-agent.ts'
import { type Given, refusal, type Refusal } from './refusal.ts'

const nowSecs = () => Math.floor(Date.now() / 1000)
let count = 0
const anotherName = () => `other${(count += 1)}`

/** A registered agent of its own, so that what is done to it does not disturb others. */
const another = (given: Given) => registerTestAgent(given.server, { hostname: anotherName() })

const createToken = async ({ server }: Given, body: object = {}): Promise<string> =>
  (await server.api('POST', '/enroll-tokens', { body: { name: 'a test', ...body } })).body.token

/** A refusal of an agent to which something was done before, on each endpoint that it may ask. */
const ofAgent = (
  problem: Refusal['problem'],
  when: string,
  prepare: (given: Given) => Promise<Awaited<ReturnType<typeof another>>>,
): Refusal[] => [
  {
    problem,
    when: `${when}: heartbeat`,
    arrange: async (given) => {
      const agent = await prepare(given)
      return () => agent.heartbeat()
    },
  },
  {
    problem,
    when: `${when}: report`,
    arrange: async (given) => {
      const agent = await prepare(given)
      return () => agent.report()
    },
  },
  {
    problem,
    when: `${when}: a body that would be refused too`,
    arrange: async (given) => {
      const agent = await prepare(given)
      return () => agent.send('/agent/heartbeat', 'not JSON')
    },
  },
]

const ofBody = (
  problem: Refusal['problem'],
  when: string,
  request: Parameters<typeof refusal>[2],
  members: object = {},
) => refusal(problem, when, request, { members })

/** The headers of a request that our agent signed for something else than what it is sent as. */
const signedAs = ({ agent, server }: Given, method: string, path: string, body: string) => ({
  ...signRequest({
    method,
    authority: server.authority,
    path,
    body: Buffer.from(body),
    key: agent.key,
    createdSecs: nowSecs(),
  }),
})

/** What is wrong with who asks, when, or with what. */
export const agentRefusals: Refusal[] = [
  refusal('stale-signature', 'it was made 301 s ago', ({ agent }) =>
    agent.heartbeat({}, { createdSecs: nowSecs() - 302 }),
  ),
  refusal('stale-signature', 'it was made 301 s in the future', ({ agent }) =>
    agent.heartbeat({}, { createdSecs: nowSecs() + 302 }),
  ),
  refusal('stale-signature', 'the key is unknown too: the clock is looked at first', ({ agent }) =>
    agent.heartbeat({}, { createdSecs: 1, key: newKey() }),
  ),
  refusal('bad-signature', 'the key is unknown', ({ agent }) => agent.heartbeat({}, { key: newKey() })),
  refusal('bad-signature', 'the signature is that of another key', ({ agent }) =>
    agent.heartbeat({}, { key: { ...newKey(), id: agent.key.id } }),
  ),
  refusal('bad-signature', 'it was signed for another server', ({ agent }) =>
    agent.heartbeat({}, { authority: 'other.example.org' }),
  ),
  refusal('bad-signature', 'it was signed for another method', ({ agent, server }) =>
    agent.send(
      '/agent/heartbeat',
      {},
      {
        headers: signedAs({ agent, server }, 'PUT', '/agent/heartbeat', '{}'),
      },
    ),
  ),
  refusal('bad-signature', 'it was signed for another path', ({ agent, server }) =>
    agent.send(
      '/agent/heartbeat',
      {},
      {
        headers: signedAs({ agent, server }, 'POST', '/agent/state', '{}'),
      },
    ),
  ),
  ...ofAgent('bad-signature', 'configuration no longer declares the key', async (given) => {
    const agent = await another(given)
    await sql`update keys set status = 'inactive' where id = ${agent.key.id}`.execute(
      given.server.database.db,
    )
    return agent
  }),
  ...ofAgent('revoked-key', 'the key was revoked', async (given) => {
    const agent = await another(given)
    await given.server.api('DELETE', `/systems/${agent.hostname}/keys/${agent.key.id}`)
    return agent
  }),
  ...ofAgent('revoked-key', 'the system is archived', async (given) => {
    const agent = await another(given)
    await given.server.api('PUT', `/systems/${agent.hostname}/archived`)
    return agent
  }),
  ...ofAgent('pending-approval', 'the key waits', async (given) => {
    const agent = createTestAgent(given.server, { hostname: anotherName() })
    const reply = await agent.enroll(await createToken(given, { needs_approval: true }))
    if (reply.status !== 202) throw new Error(`the key does not wait: ${reply.text}`)
    return agent
  }),
  {
    problem: 'wrong-host',
    when: 'the report names another registered system',
    arrange: async (given) => {
      const [agent, victim] = [await another(given), await another(given)]
      agent.state.fingerprint.software.hostname = victim.hostname
      return () => agent.report()
    },
  },
  {
    problem: 'replayed',
    when: 'a heartbeat comes again',
    arrange: async ({ agent }) => {
      await agent.heartbeat({ sequence: 7_000_000_000_000 })
      return () => agent.heartbeat({ sequence: 7_000_000_000_000 })
    },
    members: { last_sequence: 7_000_000_000_000 },
  },
  {
    problem: 'replayed',
    when: 'a report has the sequence of another',
    arrange: async ({ agent }) => {
      await agent.report({ sequence: 7_000_000_000_000 })
      return () => agent.report({ sequence: 7_000_000_000_000, dropped: 1 })
    },
    members: { last_sequence: 7_000_000_000_000 },
  },
  ofBody('malformed', 'the body is not what the digest says', ({ agent }) =>
    agent.heartbeat({}, { sentBody: '{"version":1}' }),
  ),
  ofBody('malformed', 'the body is empty, but was signed with content', ({ agent }) =>
    agent.heartbeat({}, { sentBody: '' }),
  ),
  ofBody('malformed', 'the body is not JSON', ({ agent }) => agent.send('/agent/heartbeat', '{"a":')),
  ofBody('malformed', 'there is no body', ({ agent }) => agent.send('/agent/heartbeat', '')),
  ofBody('malformed', 'the body is not UTF-8', ({ agent }) =>
    agent.send('/agent/state', Buffer.from([0x22, 0xff, 0x22])),
  ),
  ofBody('invalid', 'a member has another type', ({ agent }) => agent.heartbeat({ sequence: '1' }), {
    errors: [{ path: '/sequence', message: 'must be integer' }],
  }),
  ofBody('invalid', 'a member is missing', ({ agent }) => agent.report({ boot_id: undefined }), {
    errors: [{ path: '/boot_id', message: 'is missing' }],
  }),
  ofBody('invalid', 'the sequence is 0', ({ agent }) => agent.heartbeat({ sequence: 0 })),
  ofBody('invalid', 'the version is another', ({ agent }) => agent.heartbeat({ version: 2 })),
  ofBody('invalid', 'a store path is none', ({ agent }) => agent.heartbeat({ current_system: '/tmp/x' })),
  ofBody('invalid', 'it holds U+0000', ({ agent }) => agent.report({ extra: 'a\0b' })),
  ofBody('invalid', 'it holds a lone surrogate', ({ agent }) => agent.report({ extra: '\ud800' })),
  ofBody('invalid', 'it is nested too deep', ({ agent }) =>
    agent.send('/agent/state', '['.repeat(100) + ']'.repeat(100)),
  ),
  ofBody('too-large', 'a heartbeat is larger than 16 KiB', ({ agent }) =>
    agent.heartbeat({ padding: 'x'.repeat(16 * 1024) }),
  ),
  ofBody('too-large', 'a report is larger than 1 MiB', ({ agent }) =>
    agent.report({ padding: 'x'.repeat(1024 * 1024) }),
  ),
  ofBody('too-large', 'a chunked heartbeat is larger than 16 KiB', ({ agent }) =>
    agent.heartbeat(
      { padding: 'x'.repeat(16 * 1024) },
      { headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' } },
    ),
  ),
]

/** Enrolment has its own answers. */
export const enrollmentRefusals: Refusal[] = [
  ofBody('enrollment-refused', 'the token is unknown', ({ server }) =>
    createTestAgent(server, { hostname: anotherName() }).enroll('cfe_unknown'),
  ),
  {
    problem: 'enrollment-refused',
    when: 'the token is used up',
    arrange: async (given) => {
      const token = await createToken(given)
      await createTestAgent(given.server, { hostname: anotherName() }).enroll(token)
      return () => createTestAgent(given.server, { hostname: anotherName() }).enroll(token)
    },
  },
  {
    problem: 'enrollment-refused',
    when: 'the token is for another host',
    arrange: async (given) => {
      const token = await createToken(given, { hostname: 'the-one' })
      return () => createTestAgent(given.server, { hostname: anotherName() }).enroll(token)
    },
  },
  {
    problem: 'revoked-key',
    when: 'a revoked key enrols again',
    arrange: async (given) => {
      const agent = await another(given)
      await given.server.api('DELETE', `/systems/${agent.hostname}/keys/${agent.key.id}`)
      const token = await createToken(given)
      return () => agent.enroll(token)
    },
  },
  {
    problem: 'bad-signature',
    when: 'a key is enrolled by the signature of another',
    arrange: async (given) => {
      const token = await createToken(given)
      const agent = createTestAgent(given.server, { hostname: anotherName() })
      return () => agent.enroll(token, { public_key: encodeBase64(newKey().publicKey) })
    },
  },
  {
    problem: 'forbidden',
    when: 'an untrusted proxy may have read the token',
    arrange: async (given) => {
      const token = await createToken(given)
      const agent = createTestAgent(given.server, { hostname: anotherName() })
      return () => agent.enroll(token, {}, { headers: { 'x-forwarded-proto': 'https' } })
    },
  },
  ofBody('invalid', 'the public key is a point of small order', ({ agent }) =>
    agent.enroll('cfe_x', { public_key: encodeBase64(Buffer.alloc(32)) }),
  ),
  ofBody('invalid', 'the host name has blanks', ({ agent }) => agent.enroll('cfe_x', { hostname: 'a b' })),
  ofBody('too-large', 'an enrolment is larger than 16 KiB', ({ agent }) => agent.enroll('x'.repeat(17_000))),
  ofBody('unsigned', 'an enrolment is not signed', ({ agent }) =>
    agent.enroll('cfe_x', {}, { headers: { signature: undefined } }),
  ),
  ofBody('stale-signature', 'an enrolment is old', ({ agent }) =>
    agent.enroll('cfe_x', {}, { createdSecs: nowSecs() - 400 }),
  ),
  ofBody('unsupported', 'an enrolment is no JSON', ({ agent }) =>
    agent.enroll('cfe_x', {}, { headers: { 'content-type': 'text/plain' } }),
  ),
]
