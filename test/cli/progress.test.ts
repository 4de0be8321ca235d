import { expect, test } from 'vitest'
import { createProgress } from '../../src/cli/progress.ts'

function record(isTTY: boolean, texts: readonly string[]): string {
  let written = ''
  const write = (text: string | Uint8Array) => {
    written += String(text)
    return true
  }
  const progress = createProgress({ isTTY, columns: 20, write })
  for (const text of texts) progress.show(text)
  progress.end()
  return written
}

test('on a terminal one line is written over, cut to its width, and gone at the end', () => {
  expect(record(true, ['1 of 3', '2 of 3', 'x'.repeat(30)])).toBe(
    `\r\u001b[2K1 of 3\r\u001b[2K2 of 3\r\u001b[2K${'x'.repeat(19)}\r\u001b[2K`,
  )
})

test('elsewhere each step is a line, once, however fast its numbers rise', () => {
  expect(record(false, ['asking', 'asking', '1 of 3', '2 of 3', '3 of 3', 'done'])).toBe(
    'asking\n1 of 3\ndone\n',
  )
})

test.each([true, false])('nothing in it acts on the terminal (%s)', (isTTY) => {
  expect(record(isTTY, ['a\u001b[2Jb'])).toContain(String.raw`a\u001b[2Jb`)
})
