import type { Api } from '../api.ts'
import type { ApiFlake } from '../evaluation-api.ts'

/** What the argument of commands that take a flake is. */
export const FLAKE_ARGUMENT = 'its id as `flakes list` shows it, or its URL as it was given'

/** The flake that an argument names. Throws when it is none, or several. */
export async function findFlake(api: Api, text: string): Promise<ApiFlake> {
  if (/^[1-9]\d{0,14}$/.test(text)) return api.getFlake(Number(text))
  const { flakes } = await api.listFlakes()
  const found = flakes.filter((flake) => flake.url === text)
  const [flake] = found
  if (flake === undefined)
    throw new Error(`no flake with the URL ${text} is followed: see \`crystal-forge flakes list\``)
  if (found.length > 1)
    throw new Error(
      `several branches of ${text} are followed: give an id, ${found.map(({ id }) => id).join(' or ')}`,
    )
  return flake
}
