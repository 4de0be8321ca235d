/** Git without the settings of the machine and of the user that runs it, and without questions. */
export const GIT_ENVIRONMENT = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  // Only what Git is told to fetch is read: no object is fetched because something looked for it.
  GIT_NO_LAZY_FETCH: '1',
} as const

/** Where programs, certificates and proxies are; nothing else of our environment is passed on. */
const PASSED_ON = [
  'PATH',
  'TMPDIR',
  'SSL_CERT_FILE',
  'NIX_SSL_CERT_FILE',
  'GIT_SSL_CAINFO',
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
]

/** The environment that every `git` starts from. Messages are in English: their cause is read from them. */
export function gitEnvironment(): Record<string, string | undefined> {
  const passedOn = PASSED_ON.map((name) => [name, process.env[name]])
  return { ...Object.fromEntries(passedOn), ...GIT_ENVIRONMENT, LC_ALL: 'C' }
}
