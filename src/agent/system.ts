import { dirname, posix } from 'node:path'
import type { REBOOT_PARTS, SystemState } from '../protocol/facts.ts'
import { isStorePath } from '../protocol/store-path.ts'
import { createNotes, type Notes } from './facts/notes.ts'
import type { Root } from './root.ts'

export const CURRENT_SYSTEM = '/run/current-system'
export const BOOTED_SYSTEM = '/run/booted-system'
export const SYSTEM_PROFILE = '/nix/var/nix/profiles/system'

type RebootPart = (typeof REBOOT_PARTS)[number]

/** In the order of REBOOT_PARTS; its value is not imported, for it would bring the schemas into the agent. */
const LINKED_PARTS = ['kernel', 'initrd', 'kernel-modules'] as const

/**
 * Which NixOS system runs, was booted and is the profile's, or null on a host that has none of
 * the three links. Why a member is null goes to `notes`, as `system.<member>`.
 */
export async function readSystemState(root: Root, notes: Notes = createNotes()): Promise<SystemState | null> {
  const [current, booted, profile, generation, changedAt] = await Promise.all([
    notes.attempt('system.current', () => readStoreLink(root, CURRENT_SYSTEM)),
    notes.attempt('system.booted', () => readStoreLink(root, BOOTED_SYSTEM)),
    notes.attempt('system.profile', () => readProfile(root)),
    notes.attempt('system.generation', () => readGeneration(root)),
    notes.attempt('system.profile_changed_at', async () =>
      (await root.modifiedAt(SYSTEM_PROFILE)).toISOString(),
    ),
  ])
  if ([current, booted, profile, generation, changedAt].every((fact) => fact === null)) return null
  const rebootNeeded = await notes.attempt('system.reboot_needed', () =>
    compareBootParts(root, booted, profile ?? current),
  )
  return { current, booted, profile, generation, profile_changed_at: changedAt, reboot_needed: rebootNeeded }
}

async function readStoreLink(root: Root, link: string): Promise<string> {
  const target = await root.readLink(link)
  if (!isStorePath(target)) throw new Error(`${link} points to ${target}, which is not a store path`)
  return target
}

/** `system -> system-42-link -> /nix/store/…`; a profile made by hand may point to the store at once. */
async function readProfile(root: Root): Promise<string> {
  const target = await root.readLink(SYSTEM_PROFILE)
  return isStorePath(target) ? target : readStoreLink(root, posix.resolve(dirname(SYSTEM_PROFILE), target))
}

async function readGeneration(root: Root): Promise<number> {
  const target = await root.readLink(SYSTEM_PROFILE)
  const number = Number(/^system-(\d+)-link$/.exec(posix.basename(target))?.[1])
  if (Number.isSafeInteger(number)) return number
  throw new Error(`${SYSTEM_PROFILE} points to ${target}, which names no generation`)
}

async function compareBootParts(
  root: Root,
  booted: string | null,
  next: string | null,
): Promise<RebootPart[]> {
  if (booted === null) throw new Error('the booted system is not known')
  if (next === null) throw new Error('neither the system profile nor the current system is known')
  if (booted === next) return []
  const readers = [
    ...LINKED_PARTS.map((part) => ({ part, read: (system: string) => root.readLink(`${system}/${part}`) })),
    { part: 'kernel-params' as const, read: (system: string) => root.readText(`${system}/kernel-params`) },
  ]
  const results = await Promise.all(
    readers.map(async ({ part, read }) => {
      const [before, after] = await Promise.allSettled([read(booted), read(next)])
      const comparable = before.status === 'fulfilled' && after.status === 'fulfilled'
      return { part, comparable, differs: comparable && before.value !== after.value }
    }),
  )
  if (!results.some(({ comparable }) => comparable))
    throw new Error(`${booted} and ${next} cannot be compared`)
  return results.filter(({ differs }) => differs).map(({ part }) => part)
}
