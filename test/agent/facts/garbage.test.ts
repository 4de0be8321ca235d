import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { Value } from 'typebox/value'
import { expect, test } from 'vitest'
import { collectFingerprint } from '../../../src/agent/facts/collect.ts'
import { createRoot } from '../../../src/agent/root.ts'
import { readSystemState } from '../../../src/agent/system.ts'
import { Fingerprint, SystemState } from '../../../src/protocol/facts.ts'
import { unpack } from '../unpack-tree.ts'

const HOST = 'vm'
const tree = readFileSync(join(import.meta.dirname, `../trees/${HOST}.tree`), 'utf8')
const files = [...tree.matchAll(/^(?:file|link) (\S+)/gm)].map((match) => match[1]!)

const original = (path: string) => new RegExp(`^file ${path}\\n((?:\\|.*\\n)*)`, 'm').exec(tree)?.[1] ?? ''
const spoiled = fc.oneof(
  fc.uint8Array({ maxLength: 4000 }).map((bytes) => () => bytes),
  fc.string({ unit: 'binary', maxLength: 2000 }).map((text) => () => text),
  fc
    .constantFrom('', '\0', '-1\n', '1e400\n', '9'.repeat(400), '\u{1F4A9}'.repeat(3000), 'a\u0007\u001B[31m')
    .map((text) => () => text),
  fc
    .record({ at: fc.nat(), insert: fc.string({ unit: 'binary' }), cut: fc.nat(40) })
    .map(({ at, insert, cut }) => (path: string) => {
      const text = original(path).replaceAll(/^\| ?/gm, '')
      const start = at % (text.length + 1)
      return text.slice(0, start) + insert + text.slice(start + cut)
    }),
)

test('whatever the files hold, the report satisfies the schema and has no control character', async () => {
  const spoil = fc.uniqueArray(fc.tuple(fc.constantFrom(...files), spoiled), {
    selector: ([path]) => path,
    maxLength: 40,
  })
  await fc.assert(
    fc.asyncProperty(spoil, async (changes) => {
      const rootfs = await unpack(tree)
      for (const [path, content] of changes) {
        await rm(join(rootfs, path), { force: true })
        await writeFile(join(rootfs, path), content(path))
      }
      const { fingerprint } = await collectFingerprint(createRoot(rootfs), { agentVersion: '0.1.0' })
      expect(Value.Errors(Fingerprint, fingerprint)).toEqual([])
      expect(
        strings(fingerprint).filter((text) => /\p{Cc}|\p{Cs}/u.test(text) || text.trim() !== text),
      ).toEqual([])
      const system = await readSystemState(createRoot(rootfs))
      expect(system === null || Value.Check(SystemState, system)).toBe(true)
    }),
    { numRuns: 50 },
  )
})

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : []
}
