import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeControls, formatJson, formatTable } from '../../src/cli/output.ts'

test('columns are as wide as their widest cell', () => {
  const table = formatTable(
    [
      { header: 'host', value: (row: { host: string; count: number | null }) => row.host },
      { header: 'count', value: (row) => row.count, align: 'right' },
      { header: 'end', value: () => 'x' },
    ],
    [
      { host: 'a', count: 1 },
      { host: 'web-server', count: 1234567 },
      { host: 'ü', count: null },
      { host: '漢字', count: 0 },
    ],
  )
  expect(table).toBe(
    [
      'HOST          COUNT  END',
      'a                 1  x',
      'web-server  1234567  x',
      'ü                 -  x',
      '漢字              0  x',
      '',
    ].join('\n'),
  )
})

test('control characters, line ends and changes of direction are escaped', () => {
  expect(escapeControls('a\u001b[31m\n\t\u0007\u009b\u007f\u202e\u2028b')).toBe(
    'a\\u001b[31m\\u000a\\u0009\\u0007\\u009b\\u007f\\u202e\\u2028b',
  )
  const table = formatTable(
    [{ header: 'x', value: (row: string) => row }],
    ['evil\u001b]0;title\u0007\nline'],
  )
  expect(table).toBe('X\nevil\\u001b]0;title\\u0007\\u000aline\n')
})

test('no text reaches the terminal as a control character, and JSON stays the same value', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
      expect(escapeControls(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
      const json = formatJson({ text, list: [text] })
      // oxlint-disable-next-line no-control-regex
      expect(json.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
      expect(JSON.parse(json)).toEqual({ text, list: [text] })
    }),
  )
})
