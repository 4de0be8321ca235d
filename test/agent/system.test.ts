import { expect, test } from 'vitest'
import { createNotes } from '../../src/agent/facts/notes.ts'
import { createRoot } from '../../src/agent/root.ts'
import { readSystemState } from '../../src/agent/system.ts'
import { unpack } from './unpack-tree.ts'

const systemPath = (letter: string) => `/nix/store/${letter.repeat(32)}-nixos-system-web1-25.11`
const A = systemPath('a')
const B = systemPath('b')
const PROFILE = '/nix/var/nix/profiles/system'

async function read(...lines: string[]) {
  return readSystemState(createRoot(await unpack(lines.join('\n'))))
}

const profileTo = (path: string) => `link ${PROFILE} -> system-7-link\nlink ${PROFILE}-7-link -> ${path}`
const parts = (system: string, kernel: string, parameters = 'quiet') =>
  `link ${system}/kernel -> /nix/store/${kernel}\nfile ${system}/kernel-params\n| ${parameters}`

test('a host with none of the links has no system state', async () => {
  expect(await read('dir /run', 'dir /nix')).toBeNull()
})

test('a link that does not lead to a store path is not known, with the reason', async () => {
  const root = createRoot(
    await unpack(`link /run/current-system -> /nix/store/x/bin\nlink /run/booted-system -> ${A}`),
  )
  const notes = createNotes()
  expect(await readSystemState(root, notes)).toMatchObject({
    current: null,
    booted: A,
    profile: null,
    generation: null,
  })
  expect(notes.list()).toContainEqual({
    fact: 'system.current',
    reason: '/run/current-system points to /nix/store/x/bin, which is not a store path',
  })
})

test('the generation link may be written with its whole path', async () => {
  const state = await read(`link ${PROFILE} -> ${PROFILE}-130-link`, `link ${PROFILE}-130-link -> ${A}`)
  expect(state).toMatchObject({ profile: A, generation: 130 })
})

test('a profile that leads to the store at once has no generation', async () => {
  expect(await read(`link ${PROFILE} -> ${A}`)).toMatchObject({ profile: A, generation: null })
})

test('nothing is to be rebooted for when the profile is what was booted', async () => {
  const state = await read(
    `link /run/booted-system -> ${A}`,
    `link /run/current-system -> ${B}`,
    profileTo(A),
  )
  expect(state?.reboot_needed).toEqual([])
})

test('the booted system is compared with the profile, not with the current one', async () => {
  const links = [`link /run/booted-system -> ${A}`, `link /run/current-system -> ${A}`, profileTo(B)]
  expect((await read(...links, parts(A, 'k1'), parts(B, 'k2')))?.reboot_needed).toEqual(['kernel'])
  expect((await read(...links, parts(A, 'k1'), parts(B, 'k1', 'debug')))?.reboot_needed).toEqual([
    'kernel-params',
  ])
  expect((await read(...links, parts(A, 'k1'), parts(B, 'k1')))?.reboot_needed).toEqual([])
})

test('without a profile it is compared with the current one', async () => {
  const links = [`link /run/booted-system -> ${A}`, `link /run/current-system -> ${B}`]
  expect((await read(...links, parts(A, 'k1'), parts(B, 'k2', 'debug')))?.reboot_needed).toEqual([
    'kernel',
    'kernel-params',
  ])
})

test('a part that one of the two does not have is not listed', async () => {
  const links = [`link /run/booted-system -> ${A}`, `link /run/current-system -> ${B}`]
  const withInitrd = `link ${B}/initrd -> /nix/store/i1`
  expect((await read(...links, parts(A, 'k1'), parts(B, 'k1'), withInitrd))?.reboot_needed).toEqual([])
})

test('it is unknown whether to reboot when nothing can be compared', async () => {
  const links = [`link /run/booted-system -> ${A}`, `link /run/current-system -> ${B}`]
  expect((await read(...links, parts(B, 'k1')))?.reboot_needed).toBeNull()
  expect(
    (await read(`link /run/current-system -> ${B}`, profileTo(B), parts(B, 'k1')))?.reboot_needed,
  ).toBeNull()
})
