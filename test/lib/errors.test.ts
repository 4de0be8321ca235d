import { expect, test } from 'vitest'
import { describeError, errorCode, explainError } from '../../src/lib/errors.ts'

const chain = new Error('cannot start', { cause: new Error('cannot listen', { cause: 'port in use' }) })

test('an error is described with its whole chain of causes', () => {
  expect(describeError(chain)).toMatchObject({
    type: 'Error',
    message: 'cannot start',
    cause: { message: 'cannot listen', cause: { type: 'string', message: 'port in use' } },
  })
})

test('a circle of causes ends', () => {
  const error = new Error('outer')
  error.cause = new Error('inner', { cause: error })
  expect(describeError(error).cause?.cause?.message).toBe('(already described above)')
  expect(explainError(error)).toBe('outer: inner')
})

test('members that can hold data are left out, those that tell what failed are kept', () => {
  const error = Object.assign(new Error('duplicate'), {
    code: '23505',
    constraint: 'systems_pkey',
    detail: 'Key (token)=(hunter2)',
  })
  expect(describeError(error)).toMatchObject({ code: '23505', constraint: 'systems_pkey' })
  expect(JSON.stringify(describeError(error))).not.toContain('hunter2')
})

test('an error is explained by the messages of its chain, each once', () => {
  expect(explainError(chain)).toBe('cannot start: cannot listen: port in use')
  expect(explainError(new Error('cannot read a: ENOENT', { cause: new Error('ENOENT') }))).toBe(
    'cannot read a: ENOENT',
  )
})

test('a connection refused over every address is explained by each of them', () => {
  const refused = new AggregateError([new Error('connect ::1:1'), new Error('connect 127.0.0.1:1')])
  expect(explainError(new Error('cannot reach the server', { cause: refused }))).toBe(
    'cannot reach the server: connect ::1:1, connect 127.0.0.1:1',
  )
  expect(describeError(refused).errors).toHaveLength(2)
})

test('of a copy of an error, which is no error, the message is kept', () => {
  const { message, stack } = new Error('the queue cannot be read')
  expect(describeError({ message, stack })).toEqual({ type: 'object', message: 'the queue cannot be read' })
  expect(explainError({ message })).toBe('the queue cannot be read')
})

test('only a text is an error code', () => {
  expect(errorCode(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT')
  expect(errorCode(Object.assign(new Error('x'), { code: 7 }))).toBeUndefined()
  expect(errorCode('ENOENT')).toBeUndefined()
})
