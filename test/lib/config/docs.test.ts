import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { exampleFile } from '../../../src/lib/config/describe.ts'
import { SECTIONS, TABLES, variableName } from '../../../src/lib/config/schema.ts'
import { configOf, problemsOf } from '../../support/config.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const root = join(import.meta.dirname, '..', '..', '..')

test('docs/configuration.md is what script/generate makes', async () => {
  const generator = join(root, 'script', 'generator', 'configuration-docs.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [generator])
  expect(await readFile(join(root, 'docs', 'configuration.md'), 'utf8')).toBe(stdout)
})

test('the example sets every key, and works', async () => {
  const example = exampleFile()
  for (const { keys } of [...Object.values(SECTIONS), ...Object.values(TABLES)]) {
    for (const key of Object.keys(keys)) expect(example).toMatch(new RegExp(`^(# )?${key} = `, 'm'))
  }
  const config = await configOf({ toml: example, part: 'none' })
  expect(config).toMatchObject({ flakes: [{ branch: 'main' }], systems: [{ environment: 'production' }] })
})

test('every key can be given as a variable', async () => {
  const directory = await temporaryDirectory()
  const file = join(directory, 'file')
  await writeFile(file, 'content')
  for (const [section, { keys }] of Object.entries(SECTIONS)) {
    for (const [name, key] of Object.entries(keys)) {
      const value =
        'file' in key ? file : Array.isArray(key.example) ? key.example.join(',') : String(key.example)
      const problems = await problemsOf({ env: { [variableName(section, name)]: value }, part: 'none' })
      // What needs another key to make sense says so, about itself.
      const about = problems.filter((problem) => !/needs|no effect|belongs/.test(problem))
      expect(about, `${section}.${name}`).toEqual([])
    }
  }
})
