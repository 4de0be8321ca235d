import { stripVTControlCharacters } from 'node:util'

const LONGEST_MESSAGE = 8000
const LONGEST_LINE = 12_000
const HEAD = 6000

/** Nix's error in what it wrote: what follows the last line that begins with `error:`; without one, all of it. */
export function errorBlock(stderr: string): string {
  const lines = stripVTControlCharacters(stderr)
    .split('\n')
    .filter((line) => !/^\(?(use|stack trace truncated; use) '--show-trace'/.test(line.trim()))
  const start = lines.findLastIndex((line) => line.startsWith('error:'))
  return lines
    .slice(Math.max(start, 0))
    .join('\n')
    .replace(/^error:[ \n]*/, '')
    .trim()
}

/** A line as it is kept until it is known what it is about: its beginning and its end. */
export function keptLine(line: string): string {
  return line.length <= LONGEST_LINE ? line : `${line.slice(0, HEAD)} […] ${line.slice(HEAD - LONGEST_LINE)}`
}

/** The sentence that says what is wrong, and where. From version 2.20 on Nix writes frames before it. */
export function errorSentence(block: string): string {
  return splitFrames(block).sentence
}

/** The error as it is kept: the sentence, then the flake's frames; bounded, and text for any database. */
export function keptMessage(block: string): string {
  const { frames, sentence } = splitFrames(block)
  const ofFlake = frames.split(/\n\s*\n/).filter((frame) => !/^\s*at «string»:/m.test(frame))
  const text = [sentence.replace(/\n\s*at «string»:.*$/s, ''), ...ofFlake]
    .map((part) => part.trimEnd())
    .filter((part) => part !== '')
    .join('\n\n')
    .replaceAll(/[^\P{Cc}\n\t]/gu, '\uFFFD')
    .toWellFormed()
  if (text.length <= LONGEST_MESSAGE) return text
  return `${text.slice(0, HEAD)}\n[…]\n${text.slice(HEAD - LONGEST_MESSAGE)}`.toWellFormed()
}

function splitFrames(block: string): { frames: string; sentence: string } {
  const inner = block.startsWith('…') ? /^ {7}error:[ \n]+/m.exec(block) : null
  if (inner === null) return { frames: '', sentence: block }
  return { frames: block.slice(0, inner.index), sentence: block.slice(inner.index + inner[0].length) }
}
