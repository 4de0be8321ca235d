import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const PROTOCOL = join(import.meta.dirname, '../../src/protocol')

test('what the agent takes from the protocol brings one library along, the one for canonical JSON', async () => {
  const { metafile } = await build({
    entryPoints: ['digests', 'keys', 'limits', 'problems', 'sign', 'store-path', 'timestamp'].map((name) =>
      join(PROTOCOL, `${name}.ts`),
    ),
    bundle: true,
    platform: 'node',
    format: 'esm',
    outdir: 'unused',
    write: false,
    metafile: true,
  })
  const libraries = Object.keys(metafile.inputs).flatMap(
    (file) => /node_modules\/([^/]+)/.exec(file)?.[1] ?? [],
  )
  expect(new Set(libraries)).toEqual(new Set(['canonicalize']))
})
