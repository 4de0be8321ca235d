import { expect, test } from 'vitest'
import type { Key } from '../../src/lib/config/key.ts'
import { SECTIONS, TABLES, type Section } from '../../src/lib/config/schema.ts'
import { describeKeysForNix, isSecretText } from '../../script/generator/nix-keys.ts'
import { moduleOptions } from './support/nix.ts'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Options that are no keys of the configuration: what NixOS does beside it. */
const OF_NIXOS = [
  'agentPackage',
  'client.enable',
  'database.createLocally',
  'enable',
  'evaluator.enable',
  'flakes',
  'package',
  'server.enable',
  'server.openFirewall',
  'systems',
]

const options = await moduleOptions()
const names = options.map(({ path }) => path.join('.'))

test('every key of the configuration has an option, but for secrets that are texts', () => {
  const keys = keysOfSchema().filter(([, key]) => !isSecretText(key))
  expect(names.filter((name) => !OF_NIXOS.includes(name)).sort()).toEqual(keys.map(([name]) => name).sort())
})

test('no other secret than the password of the database has to be given by file alone', () => {
  expect(
    keysOfSchema()
      .filter(([, key]) => isSecretText(key))
      .map(([name]) => name),
  ).toEqual(['database.password'])
})

test('every other option is one of NixOS that is listed here', () => {
  const keys = new Set(keysOfSchema().map(([name]) => name))
  expect(names.filter((name) => !keys.has(name)).sort()).toEqual(OF_NIXOS)
})

test('every option has a type, a description in whole words and an example', () => {
  const poor = options.filter(
    ({ description, hasType, example }) =>
      !hasType || example === null || description === null || !/^[A-Z].{10,}$/s.test(description),
  )
  expect(poor).toEqual([])
})

test('every option has a default, but for those that a row of a list must have', () => {
  const without = options.filter(({ hasDefault }) => !hasDefault).map(({ path }) => path.join('.'))
  expect(without.sort()).toEqual(['flakes.*.url', 'systems.*.hostname'])
})

test('the keys the options are made from are those of the schema', async () => {
  const file = join(import.meta.dirname, '../../nix/module/keys.nix')
  expect(await readFile(file, 'utf8')).toBe(describeKeysForNix())
})

function keysOfSchema(): [string, Key<unknown>][] {
  return [...keysOf(SECTIONS, ''), ...keysOf(TABLES, '*.')]
}

function keysOf(sections: Readonly<Record<string, Section>>, infix: string): [string, Key<unknown>][] {
  return Object.entries(sections).flatMap(([section, { keys }]) =>
    Object.entries(keys).map(([name, key]): [string, Key<unknown>] => [`${section}.${infix}${name}`, key]),
  )
}
