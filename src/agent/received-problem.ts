import { PROBLEM_MEDIA_TYPE, PROBLEM_PREFIX, PROBLEMS, type ProblemName } from '../protocol/problems.ts'
import { parseObject } from './json.ts'
import type { Answer } from './transport.ts'

/** A sequence is at most a time in milliseconds; one beyond the year 2100 is an error or an attack. */
export const SEQUENCE_LIMIT = Date.UTC(2101, 0, 1)

const MAX_DETAIL_LENGTH = 500

export interface ReceivedProblem {
  name: ProblemName
  detail: string
  /** Null when absent or not to be believed. */
  lastSequence: number | null
}

/** The problem document of ours in an answer: its media type, a type of the table, and that type's status; else null. */
export function readProblem(answer: Answer): ReceivedProblem | null {
  if (answer.contentType.split(';')[0]?.trim().toLowerCase() !== PROBLEM_MEDIA_TYPE) return null
  const document = parseObject(answer.body)
  const type = document?.['type']
  if (document === null || typeof type !== 'string' || !type.startsWith(PROBLEM_PREFIX)) return null
  const name = type.slice(PROBLEM_PREFIX.length)
  if (!isProblemName(name) || PROBLEMS[name].status !== answer.status) return null
  const detail = document['detail']
  return {
    name,
    detail: typeof detail === 'string' ? detail.slice(0, MAX_DETAIL_LENGTH) : '',
    lastSequence: readLastSequence(document['last_sequence']),
  }
}

function isProblemName(name: string): name is ProblemName {
  return Object.hasOwn(PROBLEMS, name)
}

function readLastSequence(value: unknown): number | null {
  const usable = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  return usable && value < SEQUENCE_LIMIT ? value : null
}
