/**
 * One text of several in Prometheus' format, as prom-client writes it: what is said of one metric has to stand together, and
 * is described once. No sample may be in two of them.
 */
export function mergeMetrics(texts: readonly string[]): string {
  const metrics = new Map<string, { head: string[]; samples: string[] }>()
  for (const block of texts.flatMap((text) => text.split('\n\n'))) {
    const lines = block.split('\n').filter((line) => line !== '')
    const head = lines.filter((line) => line.startsWith('#'))
    const name = /^# HELP (\S+)/.exec(head[0] ?? '')?.[1]
    if (name === undefined) continue
    const samples = lines.filter((line) => !line.startsWith('#'))
    const earlier = metrics.get(name)
    if (earlier === undefined) metrics.set(name, { head, samples })
    else earlier.samples.push(...samples)
  }
  return [...metrics.values()].map(({ head, samples }) => `${[...head, ...samples].join('\n')}\n`).join('\n')
}
