import { readFile, writeFile } from 'node:fs/promises'
import { describeConfiguration } from '../../src/lib/config/describe.ts'
import { explainError } from '../../src/lib/errors.ts'
import { runProcess } from '../../src/lib/process.ts'
import { withClient } from '../../src/store/database.ts'
import { describeCommands } from './commands.ts'
import { withMigratedDatabase } from './database.ts'
import { describeKeysForNix } from './nix-keys.ts'
import { describeModuleOptions } from './nixos-options.ts'
import { describeApi } from './openapi.ts'
import { checkReleasedMigrations } from './released-migrations.ts'
import { generateRowTypes } from './row-types.ts'
import { dumpSchema } from './schema-dump.ts'
import { describeApiForWeb } from './web-api.ts'

interface GeneratedFile {
  path: string
  text: string
}

/** Every file that is generated and committed. */
async function generateFiles(): Promise<GeneratedFile[]> {
  return [...(await generateSchemaFiles()), ...(await generateOtherFiles())]
}

/** What is made of the migrations. */
async function generateSchemaFiles(): Promise<GeneratedFile[]> {
  return await withMigratedDatabase(async (connection, binaries) => [
    { path: 'migrations/schema.sql', text: await dumpSchema(connection, binaries) },
    {
      path: 'src/store/schema.generated.ts',
      text: await withClient(connection, 'generate', (client) => generateRowTypes(client)),
    },
  ])
}

async function generateOtherFiles(): Promise<GeneratedFile[]> {
  const openApi = await describeApi()
  return [
    { path: 'docs/configuration.md', text: describeConfiguration() },
    { path: 'docs/commands.md', text: await describeCommands() },
    { path: 'nix/module/keys.nix', text: describeKeysForNix() },
    { path: 'docs/nixos-options.md', text: await describeModuleOptions() },
    { path: 'docs/openapi.json', text: openApi },
    { path: 'web/src/api/operations.generated.ts', text: describeApiForWeb(openApi) },
  ]
}

async function write(files: GeneratedFile[]): Promise<void> {
  for (const { path, text } of files)
    if ((await readFile(path, 'utf8').catch(() => null)) !== text) await writeFile(path, text)
}

/** Prints how each committed file differs from what would be generated; true when none does. */
async function check(files: GeneratedFile[]): Promise<boolean> {
  await checkReleasedMigrations()
  let same = true
  for (const { path, text } of files) {
    const committed = await readFile(path, 'utf8').catch(() => '')
    if (committed === text) continue
    same = false
    process.stdout.write(`${path} is not what script/generate makes:\n${await diff(path, text)}`)
  }
  if (!same) process.stdout.write('Run script/generate and commit what it changes.\n')
  return same
}

async function diff(path: string, text: string): Promise<string> {
  const options = { env: { PATH: process.env['PATH'] }, timeoutMs: 30_000, maxOutputBytes: 100_000 }
  return (await runProcess('diff', ['-uN', path, '-'], { ...options, input: text })).stdout
}

try {
  const files = await (process.argv.includes('--schema') ? generateSchemaFiles() : generateFiles())
  if (!process.argv.includes('--check')) await write(files)
  else if (!(await check(files))) process.exitCode = 1
} catch (error) {
  process.stderr.write(`script/generate: ${explainError(error)}\n`)
  process.exitCode = 1
}
