import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { untilShown } from '../src/cli/demo/drift.ts'
import { type DemoFleet, startFleet } from '../src/cli/demo/fleet.ts'

const root = join(import.meta.dirname, '..')
const pictures = join(root, 'docs/pictures')

interface Picture {
  name: string
  path: string
  /** What has to be in sight before. */
  shown: string
  colours?: 'light' | 'dark'
  height?: number
}

const say = (line: string): void => console.error(line)

const directory = await mkdtemp(join(tmpdir(), 'crystal-forge-pictures-'))
const fleet = await startFleet(directory, {
  port: 0,
  say,
  program: join(root, 'src/cli/main.ts'),
})
try {
  await untilShown(fleet, say)
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
  try {
    await mkdir(pictures, { recursive: true })
    for (const picture of await listPictures(fleet)) await take(browser, fleet, picture)
  } finally {
    await browser.close()
  }
} finally {
  await fleet.stop()
  await rm(directory, { recursive: true, force: true })
}

async function listPictures({ url, token }: DemoFleet): Promise<Picture[]> {
  const response = await fetch(`${url}/api/v1/flakes`, { headers: { authorization: `Bearer ${token}` } })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API's own tests hold it to this
  const { flakes } = (await response.json()) as { flakes: { id: number; head_sha: string }[] }
  const [flake] = flakes
  if (flake === undefined) throw new Error('the demo follows no flake')
  return [
    { name: 'overview', path: '/', shown: 'role=region[name="Over time"] >> role=combobox', height: 1000 },
    {
      name: 'overview-dark',
      path: '/',
      shown: 'role=region[name="Over time"] >> role=combobox',
      colours: 'dark',
      height: 1000,
    },
    { name: 'systems', path: '/systems', shown: 'role=row[name=/web2/]' },
    { name: 'system', path: '/systems/web2', shown: 'role=heading[name="web2"]', height: 1000 },
    {
      name: 'commit',
      path: `/flakes/${flake.id}/commits/${flake.head_sha}`,
      shown: 'role=region[name=/What it changes/]',
    },
  ]
}

async function take(browser: Browser, { url, administrator }: DemoFleet, picture: Picture): Promise<void> {
  const { name, path, shown, colours = 'light', height = 800 } = picture
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: 1280, height },
    colorScheme: colours,
    reducedMotion: 'reduce',
    locale: 'en-GB',
  })
  const { name: user, password } = administrator
  await context.request.post('/api/v1/session', { data: { name: user, password }, headers: { origin: url } })
  const page = await context.newPage()
  await page.goto(path)
  await page.locator(shown).first().waitFor()
  await page.getByText('Live', { exact: true }).waitFor()
  await page.waitForFunction(`document.querySelector('output[aria-label="Loading"]') === null`)
  await page.screenshot({ path: join(pictures, `${name}.png`) })
  await context.close()
  say(`docs/pictures/${name}.png`)
}
