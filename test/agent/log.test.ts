import { expect, test } from 'vitest'
import { createLineLogger, type AgentLogger } from '../../src/agent/log.ts'
import { createLogger } from '../../src/lib/log.ts'

const error = new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'ENOENT' }) })

function linesOf(log: (write: (line: string) => void) => AgentLogger): unknown[] {
  const lines: string[] = []
  const logger = log((line) => lines.push(line))
  logger.debug('not said')
  logger.info('plain')
  logger.info({ report: 'sha256:ab', sequence: 5 }, 'with members')
  logger.warn({ err: error }, 'with an error')
  logger.error({ err: 'no error', path: '/x"\n' }, 'with a text')
  return lines.map((line) => {
    expect(line).toMatch(/^[^\n]*\n$/)
    const { time, ...rest }: { time: string } = JSON.parse(line)
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000)
    return rest
  })
}

test('a line says the same as the logger of the other processes', () => {
  const ours = linesOf((write) => createLineLogger(write))
  const theirs = linesOf((write) => createLogger({ destination: { write } }))
  expect(ours).toEqual(theirs)
  expect(ours).toHaveLength(4)
})
