/** A token, and the part of the web it is for. */
export interface AccessToken {
  /** `host`, `host:port` or `host/path`. */
  place: string
  /** The user name that goes with it in HTTP's Basic form. */
  user: string
  token: string
}

/** `#` would start a comment in nix.conf. */
const ENTRY = /^([A-Za-z0-9.-]+(?::\d{1,5})?(?:\/[\w.~/-]*)?)=(?:(PAT|OAuth2):)?([\x21\x22\x24-\x7e]+)$/

/**
 * Tokens in the form of Nix's setting `access-tokens`, `github.com=… gitlab.com=PAT:…`
 * (https://nix.dev/manual/nix/stable/command-ref/conf-file#conf-access-tokens). Throws an Error that does not quote them.
 */
export function parseAccessTokens(text: string): AccessToken[] {
  const entries = text.split(/\s+/).filter((entry) => entry !== '')
  return entries.map((entry, index) => {
    const [, place, kind, token] = ENTRY.exec(entry) ?? []
    if (place === undefined || token === undefined) {
      throw new Error(`entry ${index + 1} of the access tokens must have the form host=token`)
    }
    // GitHub and Gitea take any name beside a token, GitLab wants this one for OAuth.
    return { place, user: kind === undefined ? 'x-access-token' : 'oauth2', token }
  })
}
