import { expect, test } from 'vitest'
import { createLogger, type LogLevel } from '../../src/lib/log.ts'
import { Secret } from '../../src/lib/secret.ts'

function logLines(level: LogLevel, use: (log: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = []
  use(createLogger({ level, destination: { write: (line: string) => lines.push(line) } }))
  return lines
}

test('a line is JSON with level, time and message', () => {
  const [line] = logLines('info', (log) => log.info({ port: 3000 }, 'listening'))
  expect(JSON.parse(line!)).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    port: 3000,
    msg: 'listening',
  })
})

test('an error is logged with each cause once', () => {
  const error = new Error('outer', { cause: new Error('inner') })
  const [line] = logLines('info', (log) => log.error({ err: error }, 'failed'))
  expect(JSON.parse(line!)).toMatchObject({ err: { message: 'outer', cause: { message: 'inner' } } })
  expect(line!.match(/"message":"inner"/g)).toHaveLength(1)
})

test('lines below the level are left out', () => {
  expect(logLines('warn', (log) => log.info('nothing'))).toEqual([])
})

test('a secret is masked', () => {
  const [line] = logLines('info', (log) => log.info({ database: { password: new Secret('hunter2') } }))
  expect(line).toContain('<secret>')
  expect(line).not.toContain('hunter2')
})
