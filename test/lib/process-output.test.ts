import * as fc from 'fast-check'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { collectHead, collectTail } from '../../src/lib/process-output.ts'

/** Bytes in pieces as a pipe may give them: cut anywhere, also within a character. */
function pieces(text: string, lengths: number[]): Buffer[] {
  const bytes = Buffer.from(text)
  const result: Buffer[] = []
  for (let start = 0, index = 0; start < bytes.length; index += 1) {
    const end = start + (lengths[index % lengths.length] ?? 1)
    result.push(bytes.subarray(start, end))
    start = end
  }
  return result
}

const texts = fc.string({ unit: fc.constantFrom('a', 'é', '漢', '😀'), maxLength: 60 })
const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
const limits = fc.integer({ min: 4, max: 40 })

test('the tail is the longest end of whole characters within the limit, however it is cut', () => {
  fc.assert(
    fc.property(texts, lengths, limits, (text, cuts, limit) => {
      const stream = new PassThrough()
      const read = collectTail(stream, limit)
      for (const piece of pieces(text, cuts)) stream.emit('data', piece)
      const characters = Array.from(text)
      while (Buffer.byteLength(characters.join('')) > limit) characters.shift()
      expect(read()).toBe(characters.join(''))
    }),
  )
})

test('the head is complete up to the limit, and too much is told once', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
      lengths,
      limits,
      (text, cuts, limit) => {
        const stream = new PassThrough()
        let exceeded = 0
        const read = collectHead(stream, limit, () => (exceeded += 1))
        for (const piece of pieces(text, cuts)) stream.emit('data', piece)
        expect(read()).toBe(text.slice(0, limit))
        expect(exceeded).toBe(text.length > limit ? 1 : 0)
      },
    ),
  )
})
