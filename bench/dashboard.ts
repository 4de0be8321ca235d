import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { type Bench, type Figures, percentile } from './figures.ts'
import { withLargeFleet } from './large-fleet.ts'

const LOADS = 10
const SCROLLS = 60
const PASSWORD = 'what a benchmark signs in with'

/**
 * The dashboard over 100,000 systems in Chromium: from the click to a page that shows its numbers, the longest frame while
 * somebody scrolls and filters, and what the first load takes over the wire.
 */
export const benchDashboard: Bench = async ({ say }) =>
  await withLargeFleet({ say, reportsEach: 1 }, async ({ url, token }) => {
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    })
    try {
      const context = await browser.newContext({ baseURL: url, viewport: { width: 1440, height: 900 } })
      await signIn(context, url, token)
      // one window for all: for each new one Chromium runs scripts of its own beside ours, for longer than ours take
      const page = await context.newPage()
      const figures: Figures = { 'dashboard.first_load_kb': await measureFirstLoad(page) }
      say('loading pages')
      Object.assign(figures, await measureLoads(page, 'overview', '/', 'section[aria-label="Proved"] strong'))
      Object.assign(
        figures,
        await measureLoads(page, 'systems', '/systems', 'tbody tr[aria-rowindex="20"] a'),
      )
      say('scrolling and filtering')
      return { ...figures, ...(await measureFrames(page)) }
    } finally {
      await browser.close()
    }
  })

async function signIn(context: BrowserContext, url: string, token: string): Promise<void> {
  const user = { name: 'bench', role: 'viewer', password: PASSWORD }
  const headers = { authorization: `Bearer ${token}` }
  const added = await context.request.post('/api/v1/users', { data: user, headers })
  const signedIn = await context.request.post('/api/v1/session', {
    data: { name: 'bench', password: PASSWORD },
    headers: { origin: url },
  })
  if (!added.ok() || !signedIn.ok()) throw new Error(`signing in: ${added.status()}, ${signedIn.status()}`)
}

async function measureFirstLoad(page: Page) {
  await page.goto('/')
  await page.locator('section[aria-label="Proved"] strong').waitFor()
  const bytes = await numberOf(
    page,
    `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      .filter((entry) => !entry.name.includes('/api/'))
      .reduce((sum, entry) => sum + entry.transferSize, 0)`,
  )
  return { value: Math.round(bytes / 1000), unit: 'kB' }
}

/** With the files in the browser's cache, as from the second visit on. */
async function measureLoads(page: Page, name: string, path: string, shown: string): Promise<Figures> {
  const times: number[] = []
  for (let load = 0; load < LOADS; load += 1) {
    await page.goto('about:blank')
    await page.goto(path, { waitUntil: 'commit' })
    await page.locator(shown).waitFor()
    times.push(await numberOf(page, 'performance.now()'))
  }
  return {
    [`dashboard.${name}_p50_ms`]: { value: Math.round(percentile(times, 50)), unit: 'ms' },
    [`dashboard.${name}_max_ms`]: { value: Math.round(Math.max(...times)), unit: 'ms' },
  }
}

async function measureFrames(page: Page): Promise<Figures> {
  await page.goto('/systems')
  await page.locator('tbody tr[aria-rowindex="20"] a').waitFor()
  await page.mouse.move(700, 600)
  await watchFrames(page)
  // the frame that drew the rows is one of the load, and reported after them
  await longestFrame(page)
  for (let scroll = 0; scroll < SCROLLS; scroll += 1) await page.mouse.wheel(0, 900)
  const scrolled = await longestFrame(page)
  const input = page.getByRole('searchbox', { name: 'Part of the name' })
  await input.pressSequentially('host-7', { delay: 60 })
  await page.waitForURL('**text=host-7')
  await page.locator('tbody tr[aria-rowindex="10"] a', { hasText: 'host-7' }).waitFor()
  const filtered = await longestFrame(page)
  return {
    'dashboard.scroll_longest_frame_ms': { value: Math.round(scrolled), unit: 'ms' },
    'dashboard.filter_longest_frame_ms': { value: Math.round(filtered), unit: 'ms' },
  }
}

/** From 50 ms on browsers report a frame as long: https://www.w3.org/TR/long-animation-frames/. Shorter ones count as 0. */
async function watchFrames(page: Page): Promise<void> {
  await page.evaluate(`
    window.longest = 0
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration)
    }).observe({ type: 'long-animation-frame' })`)
}

/** The longest frame since this was asked last. */
async function longestFrame(page: Page): Promise<number> {
  return await numberOf(
    page,
    `new Promise((resolve) => setTimeout(resolve, 300)).then(() => {
      const { longest } = window
      window.longest = 0
      return longest
    })`,
  )
}

async function numberOf(page: Page, expression: string): Promise<number> {
  return Number(await page.evaluate(expression))
}
