import type { WriteStream } from 'node:tty'
import { escapeControls } from './output.ts'

/** Elsewhere than on a terminal a count that rises is worth a line so often. */
const LINE_EVERY_MS = 5000

/** Shows how far long work is: one line that is written over on a terminal, else lines of their own, not too many. */
export function createProgress(stream: Pick<WriteStream, 'write' | 'isTTY' | 'columns'>) {
  let shown = ''
  let shownMs = 0
  return {
    show: (text: string): void => {
      if (text === shown) return
      const now = performance.now()
      if (stream.isTTY) stream.write(`\r\u001b[2K${escapeControls(text).slice(0, stream.columns - 1)}`)
      else if (stepOf(text) === stepOf(shown) && now - shownMs < LINE_EVERY_MS) return
      else stream.write(`${escapeControls(text)}\n`)
      shown = text
      shownMs = now
    },
    /** What is printed next stands on a line of its own. */
    end: (): void => {
      if (stream.isTTY && shown !== '') stream.write('\r\u001b[2K')
      shown = ''
    },
  }
}

/** Without its numbers a text says in which step the work is. */
const stepOf = (text: string): string => text.replaceAll(/\d+/g, '')
