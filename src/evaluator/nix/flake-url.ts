import type { FlakeSource } from './types.ts'

const MIRROR = /^(\/[A-Za-z0-9._+~-]+)+$/
const REF = /^refs\/[A-Za-z0-9._/-]+$/
const REV = /^([0-9a-f]{40}|[0-9a-f]{64})$/

/**
 * The locked flake reference of a commit in a mirror. Throws an Error that names the part that is not of the form a
 * FlakeSource describes: the reference is an argument of Nix, and parts of it of git.
 */
export function flakeUrl({ mirror, ref, rev, directory, submodules }: FlakeSource): string {
  if (!MIRROR.test(mirror))
    throw new Error(`the mirror ${JSON.stringify(mirror)} has to be an absolute path of plain characters`)
  if (!REF.test(ref) || ref.includes('..')) throw new Error(`not a ref of a mirror: ${JSON.stringify(ref)}`)
  if (!REV.test(rev)) throw new Error(`not a full commit hash: ${JSON.stringify(rev)}`)
  const parameters = [`ref=${ref}`, `rev=${rev}`]
  if (directory !== null) parameters.push(`dir=${encodeURIComponent(checkedDirectory(directory))}`)
  if (submodules) parameters.push('submodules=1')
  return `git+file://${mirror}?${parameters.join('&')}`
}

function checkedDirectory(directory: string): string {
  const parts = directory.split('/')
  if (directory.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new Error(`not a relative directory of a repository: ${JSON.stringify(directory)}`)
  }
  return directory
}
