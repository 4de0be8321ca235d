import type { Sample, Verdict } from './judge.ts'

/** As tables of Markdown. */
export function verdictsTable(verdicts: readonly Verdict[]): string {
  return table(
    ['', 'first third', 'last third', 'at most', ''],
    verdicts.map(({ what, first, last, limit, isFlat }) => {
      const text = what === 'p99' ? milliseconds : megabytes
      return [what, text(first), text(last), text(limit), isFlat ? 'flat' : 'GROWS']
    }),
  )
}

export function samplesTable(samples: readonly Sample[]): string {
  return table(
    ['after', 'requests', 'refused', 'p50', 'p99', 'memory', 'tables together'],
    samples.map((sample) => [
      `${Math.round(sample.atSecs)} s`,
      String(sample.requests),
      String(sample.refused),
      milliseconds(sample.p50Ms),
      milliseconds(sample.p99Ms),
      megabytes(sample.residentBytes),
      megabytes(Object.values(sample.tables).reduce((a, b) => a + b, 0)),
    ]),
  )
}

function table(heads: readonly string[], rows: readonly string[][]): string {
  const lines = [heads, heads.map((_, column) => (column === 0 ? '---' : '--:')), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

const milliseconds = (value: number): string => `${value.toFixed(1)} ms`
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
