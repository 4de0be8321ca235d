import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newKey, registerTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { createVersion0Agent } from '../support/version-0-agent.ts'

let server: TestServer
let directory: string
beforeAll(async () => {
  server = await startTestServer({ settings: { acceptVersion0: true } })
  directory = await mkdtemp(join(tmpdir(), 'evidence-'))
  const [, script] = /```sh\n(#!\/bin\/sh\n[^]*?)```/.exec(await readFile('docs/evidence.md', 'utf8')) ?? []
  await writeFile(join(directory, 'verify.sh'), script ?? '')
})
afterAll(async () => {
  await server.stop()
  await rm(directory, { recursive: true })
})

/** What the script of docs/evidence.md says of the document. */
async function verdictOf(evidence: object): Promise<{ code: number; said: string }> {
  const file = join(directory, 'report.json')
  await writeFile(file, JSON.stringify(evidence))
  return await new Promise((resolve) => {
    execFile('/bin/sh', [join(directory, 'verify.sh'), file], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), said: `${stdout}${stderr}`.trim() }),
    )
  })
}

async function reportOf(hostname: string) {
  const { reports } = (await server.api('GET', `/systems/${hostname}/reports`)).body
  return (await server.api('GET', `/reports/${reports[0].id}`)).body
}

/** The same bytes with the first other than it was. */
function changed(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  bytes[0] = (bytes[0] ?? 0) ^ 1
  return bytes.toString('base64')
}

test('the recipe of docs/evidence.md finds a report genuine, and each change of it', async () => {
  const agent = await registerTestAgent(server, { hostname: 'web1' })
  await agent.report()
  const report = await reportOf('web1')
  expect(await verdictOf(report)).toEqual({ code: 0, said: `genuine: signed by the key ${agent.key.id}` })
  const { evidence } = report
  const [, signature] = /^cf=:(.*):$/.exec(evidence.signature) ?? []
  for (const [change, said] of [
    [{ body: changed(evidence.body) }, 'the body has another id'],
    [{ public_key: newKey().publicKey.toString('base64') }, 'the public key has another id'],
    [{ content_digest: `sha-256=:${'A'.repeat(43)}=:` }, 'Content-Digest is that of another body'],
    [
      { signature_input: evidence.signature_input.replace(agent.key.id, newKey().id) },
      'the signature names another key',
    ],
    [{ path: '/agent/heartbeat' }, 'no signature of that key'],
    [{ authority: 'other.example.org' }, 'no signature of that key'],
    [
      { signature_input: evidence.signature_input.replace(/created=\d+/, 'created=1') },
      'no signature of that key',
    ],
    [{ signature: `cf=:${changed(signature ?? '')}:` }, 'no signature of that key'],
  ] as const)
    expect(await verdictOf({ ...report, evidence: { ...evidence, ...change } })).toEqual({
      code: 1,
      said: `not genuine: ${said}`,
    })
})

test('the recipe of docs/evidence.md finds the link to the report before, and that another has none', async () => {
  const agent = await registerTestAgent(server, { hostname: 'chained' })
  await agent.report()
  const first = await reportOf('chained')
  await agent.report()
  const second = await reportOf('chained')
  const [, recipe = ''] = /```sh\n(previous=[^]*?)```/.exec(await readFile('docs/evidence.md', 'utf8')) ?? []
  const saidOf = async (report: object, before: object): Promise<string> => {
    await writeFile(join(directory, 'REPORT.json'), JSON.stringify(report))
    await writeFile(join(directory, 'BEFORE.json'), JSON.stringify(before))
    return await new Promise((resolve) => {
      execFile('/bin/sh', ['-c', recipe], { cwd: directory }, (_, stdout, stderr) =>
        resolve(`${stdout}${stderr}`.trim()),
      )
    })
  }
  expect(await saidOf(second, first)).toBe('continues')
  expect(await saidOf(first, second)).toBe('')
  expect(await saidOf(second, second)).toBe('')
})

test('the recipe of docs/evidence.md knows the signature of version 0', async () => {
  const key = newKey()
  const body = { hostname: 'old', public_keys: [key.publicKey.toString('base64')] }
  await server.api('POST', '/systems', { body })
  await createVersion0Agent(server, 'old', key)('/agent/state', { hostname: 'old' })
  const report = await reportOf('old')
  expect(await verdictOf(report)).toMatchObject({ code: 0 })
  const { evidence } = report
  expect(
    await verdictOf({ ...report, evidence: { ...evidence, signature: changed(evidence.signature) } }),
  ).toMatchObject({ code: 1 })
})
