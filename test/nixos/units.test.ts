import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runProcess } from '../../src/lib/process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { evaluateConfiguration, exampleConfiguration, ROOT } from './support/nix.ts'
import { unitFile } from './support/unit-file.ts'

/** Programs that exist: whether they do is a part of what systemd checks. */
const PROGRAMS = { 'crystal-forge': '/bin/true', 'crystal-forge-agent': '/bin/true' }

/** The unit files of a configuration in a directory of their own, by the names of the units. */
async function writeUnits(configuration: string): Promise<{ directory: string; units: string[] }> {
  const directory = await temporaryDirectory()
  const { services } = await evaluateConfiguration(configuration)
  for (const [name, service] of Object.entries(services))
    await writeFile(join(directory, `${name}.service`), unitFile(service, PROGRAMS))
  return { directory, units: Object.keys(services) }
}

function analyze(args: string[]) {
  return runProcess('systemd-analyze', args, {
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    timeoutMs: 60_000,
    maxOutputBytes: 2 ** 20,
  })
}

const EVERYTHING = `{
  enable = true;
  database.createLocally = true;
  server.enable = true;
  client = { enable = true; server_host = "localhost"; private_key = "/var/lib/crystal_forge/host.key"; };
}`

test('systemd finds nothing wrong with the units', async () => {
  for (const text of [EVERYTHING, await exampleConfiguration('server')]) {
    const { directory, units } = await writeUnits(text)
    const { code, stderr } = await analyze([
      'verify',
      '--man=no',
      ...units.map((name) => join(directory, `${name}.service`)),
    ])
    const ofOurs = stderr.split('\n').filter((line) => line.includes('crystal-forge'))
    expect({ code, ofOurs }).toEqual({ code: 0, ofOurs: [] })
  }
})

test('the agent alone is restarted after activation, not stopped before: it sees the switch that updates it', async () => {
  const { directory, units } = await writeUnits(EVERYTHING)
  const texts = await Promise.all(units.map((name) => readFile(join(directory, `${name}.service`), 'utf8')))
  const stayUp = units.filter((_, index) => texts[index]!.includes('\nX-StopIfChanged=false\n'))
  expect(stayUp).toEqual(['crystal-forge-agent'])
})

/** Of systemd-analyze(1), from 0, which can do nothing, to 10. */
const MOST_EXPOSURE = { 'crystal-forge-agent': 2, 'crystal-forge-server': 2, 'crystal-forge-evaluator': 2 }

test.each(Object.entries(MOST_EXPOSURE))('%s is exposed by less than %d', async (unit, most) => {
  const { directory } = await writeUnits(EVERYTHING)
  const { stdout } = await analyze([
    'security',
    '--offline=true',
    '--no-pager',
    join(directory, `${unit}.service`),
  ])
  const exposure = Number(/Overall exposure level for .*: (\d+\.\d)/.exec(stdout)?.[1])
  const open = stdout.split('\n').filter((line) => /^[-✗] /.test(line))
  process.stdout.write(`\n${unit}: exposure ${exposure}\n${open.join('\n')}\n`)
  expect(exposure).toBeLessThan(most)
  const reasons = await documentedFor(unit.replace('crystal-forge-', ''))
  expect(open.map(directiveOf).filter((directive) => !reasons.includes(directive))).toEqual([])
})

/** The directives of which docs/nixos.md says why they had to stay allowed. */
async function documentedFor(unit: string): Promise<string[]> {
  const docs = await readFile(join(ROOT, 'docs/nixos.md'), 'utf8')
  const rows = [...docs.matchAll(/^\| (`.*?) +\| (\S+) +\| \S/gm)]
  const ofUnit = rows.filter(([, , where]) => where === 'all' || where === unit)
  return ofUnit.flatMap(([, names]) => [...names!.matchAll(/`([@\w]+)/g)].map(([, name]) => name!))
}

/** What a line of systemd-analyze(1) is about, as the documentation calls it. */
function directiveOf(line: string): string {
  const [, name, value] = /^\S+ (\w+)=(?:~(\S+))?/.exec(line)!
  // One system call of a group is allowed.
  if (value === '@privileged') return 'capset'
  return value?.replace('(INET|INET6)', 'INET') ?? name!
}

test('a unit that is allowed more is found to be exposed more', async () => {
  const { directory } = await writeUnits(
    EVERYTHING.replace('server.enable = true', 'server = { enable = true; port = 80; }'),
  )
  const { stdout } = await analyze([
    'security',
    '--offline=true',
    '--no-pager',
    join(directory, 'crystal-forge-server.service'),
  ])
  expect(stdout).toMatch(/^[-✗] CapabilityBoundingSet=~CAP_NET_\(BIND_SERVICE/m)
  expect(stdout).toMatch(/^[-✗] PrivateUsers=/m)
})
