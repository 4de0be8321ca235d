/**
 * A Nix store path as a report may carry it: `/nix/store/<32 characters of Nix base 32>-<name>`.
 * The alphabet leaves out e, o, t and u; a name has at most 211 characters (Nix manual, "Store path").
 */
export const STORE_PATH_PATTERN = '^/nix/store/[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+._?=-]{1,211}$'

const storePath = new RegExp(STORE_PATH_PATTERN)

/** Whether `text` is exactly one store path, with nothing below it. */
export function isStorePath(text: string): boolean {
  return storePath.test(text)
}
