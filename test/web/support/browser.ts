import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'
import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'

export interface TestPage {
  page: Page
  /** What the page complained of: console errors, uncaught errors, refusals by the Content-Security-Policy. */
  complaints: string[]
  close: () => Promise<void>
}

export interface TestPageOptions {
  width?: number
  height?: number
  colours?: 'light' | 'dark'
  /** The language that the browser prefers. */
  locale?: string
  /** Sent with every request, for pages that need somebody signed in. */
  headers?: Record<string, string>
}

export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: '/usr/bin/chromium',
    // tests run as root, where Chromium has no sandbox of its own, and with little shared memory
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
}

/** A page of a browser that has nothing of others: no cookies, nothing stored. */
export async function openPage(
  browser: Browser,
  url: string,
  options: TestPageOptions = {},
): Promise<TestPage> {
  const { width = 1280, height = 800, colours = 'light', headers = {}, locale = 'en-GB' } = options
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width, height },
    colorScheme: colours,
    extraHTTPHeaders: headers,
    reducedMotion: 'reduce',
    locale,
    timezoneId: 'UTC',
  })
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      // oxlint-disable-next-line no-console -- where the listener above hears of it
      console.error(`refused by the policy: ${violatedDirective} ${blockedURI}`),
    )
  })
  return { page, complaints, close: async () => await context.close() }
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** Fails with what axe-core finds on the page against WCAG 2.2 AA and its own best practices. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(await readFile(AXE, 'utf8'))
  const findings = await page.evaluate(async () => {
    // @ts-expect-error -- axe puts itself on the window
    const { violations } = await window.axe.run(document)
    return violations.map(
      (each: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }) => ({
        rule: `${each.id}: ${each.help}`,
        where: each.nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)} -- ${failureSummary}`),
      }),
    )
  })
  expect(findings).toEqual([])
}
