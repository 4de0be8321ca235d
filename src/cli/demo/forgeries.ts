import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parsePrivateKey } from '../../protocol/keys.ts'
import { contentDigest } from '../../protocol/digests.ts'
import { type SignatureHeaders, signRequest } from '../../protocol/sign.ts'
import type { DemoFleet } from './fleet.ts'

interface Answer {
  status: number
  problem: string | null
}

export interface Forgery {
  what: string
  expected: string
  answer: Answer
}

/** Sends what an attacker in the network, or on one host, would try; every answer has to be a refusal. */
export async function tryForgeries(fleet: DemoFleet): Promise<Forgery[]> {
  const key = parsePrivateKey(await readFile(join(fleet.directory, 'agents/web1/host.key'), 'utf8'))
  const sign = (path: string, body: Buffer) =>
    signRequest({
      method: 'POST',
      authority: new URL(fleet.url).host,
      path,
      body,
      key,
      createdSecs: Math.floor(Date.now() / 1000),
    })
  const send = (path: string, body: Buffer, headers: SignatureHeaders) =>
    post(fleet.url + path, body, headers)

  const { boot_id: bootId, system, fingerprint } = await fleet.api.getSystem('web1')
  const heartbeat = Buffer.from(JSON.stringify(heartbeatOf(bootId)))
  const captured = sign('/agent/heartbeat', heartbeat)
  await send('/agent/heartbeat', heartbeat, captured)
  const other = Buffer.from(JSON.stringify({ ...heartbeatOf(bootId), uptime_secs: 1 }))
  const foreign = Buffer.from(JSON.stringify(reportNaming('web2', system, fingerprint)))
  return [
    {
      what: 'a captured request, sent again',
      expected: '409 replayed',
      answer: await send('/agent/heartbeat', heartbeat, captured),
    },
    {
      what: 'another body under a captured signature',
      expected: '400 malformed',
      answer: await send('/agent/heartbeat', other, captured),
    },
    {
      what: 'another body with a digest that fits it',
      expected: '401 bad-signature',
      answer: await send('/agent/heartbeat', other, { ...captured, 'content-digest': contentDigest(other) }),
    },
    {
      what: 'a captured heartbeat, sent to another path',
      expected: '401 bad-signature',
      answer: await send('/agent/state', heartbeat, captured),
    },
    {
      what: 'a report of web1 that calls itself web2',
      expected: '403 wrong-host',
      answer: await send('/agent/state', foreign, sign('/agent/state', foreign)),
    },
  ]
}

function heartbeatOf(bootId: unknown) {
  return {
    version: 1,
    sequence: Date.now(),
    boot_id: bootId,
    uptime_secs: null,
    clock_skew_secs: 0,
    current_system: null,
    state_digest: `sha256:${'0'.repeat(64)}`,
    reported: null,
  }
}

/** What `system` and `fingerprint` say, under another host's name. */
function reportNaming(hostname: string, system: unknown, fingerprint: unknown) {
  const renamed = JSON.parse(JSON.stringify(fingerprint), (key: string, value: unknown) =>
    key === 'hostname' ? hostname : value,
  ) as unknown
  return {
    version: 1,
    // above what the agent sends: only the name is wrong
    sequence: Date.now() + 60_000,
    observed_at: new Date().toISOString(),
    reason: 'state_delta',
    previous: null,
    dropped: 0,
    spool_failed: false,
    boot_id: null,
    clock_skew_secs: 0,
    system,
    fingerprint: renamed,
  }
}

async function post(url: string, body: Buffer, headers: SignatureHeaders): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: new Uint8Array(body),
  })
  const problem = /"type":"urn:crystal-forge:problem:([a-z-]+)"/.exec(await response.text())
  return { status: response.status, problem: problem?.[1] ?? null }
}
