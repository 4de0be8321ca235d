/** What a browser does of HTTP: it keeps cookies by host and goes where it is sent, one step at a time if asked. */
export interface BrowserSession {
  /** Cookies by the origin that set them. */
  cookies: Map<string, Map<string, string>>
  /** One request, with no redirect followed. */
  visit: (url: string) => Promise<Response>
  /** Follows redirects until an answer is none, or leads to a URL that `until` holds for, which is not visited. */
  follow: (url: string, until?: (url: URL) => boolean) => Promise<{ url: URL; response: Response }>
}

const MAX_STEPS = 20

/** `hosts` says where an origin that only its name knows is reached. */
export function createBrowserSession(hosts: Readonly<Record<string, string>> = {}): BrowserSession {
  const cookies = new Map<string, Map<string, string>>()

  const visit = async (url: string): Promise<Response> => {
    const { origin, pathname, search } = new URL(url)
    const jar = cookies.get(origin) ?? new Map<string, string>()
    const response = await fetch(`${hosts[origin] ?? origin}${pathname}${search}`, {
      redirect: 'manual',
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
    })
    for (const header of response.headers.getSetCookie()) keep(jar, header)
    cookies.set(origin, jar)
    return response
  }

  return {
    cookies,
    visit,
    async follow(start, until = () => false) {
      let url = new URL(start)
      for (let step = 0; step < MAX_STEPS; step++) {
        const response = await visit(url.href)
        const location = response.headers.get('location')
        if (location === null) return { url, response }
        url = new URL(location, url)
        if (until(url)) return { url, response }
      }
      throw new Error(`more than ${MAX_STEPS} redirects, the last to ${url.href}`)
    },
  }
}

function keep(jar: Map<string, string>, header: string): void {
  const [pair = '', ...attributes] = header.split(/; */)
  const name = pair.slice(0, pair.indexOf('='))
  const value = pair.slice(pair.indexOf('=') + 1)
  const isGone = attributes.some((attribute) => /^(max-age=0|expires=Thu, 01 Jan 1970.*)$/i.test(attribute))
  if (isGone) jar.delete(name)
  else jar.set(name, value)
}
