import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Head } from '../../src/evaluator/git/remote.ts'
import { readBranch } from '../../src/evaluator/read-branch.ts'
import type { BranchState, KnownCommit } from '../../src/store/commits.ts'
import { createTestRepository, importCommits } from '../support/git-repository.ts'
import { createTestMirror, type TestMirror } from '../support/mirror.ts'

/** What the database keeps of a branch's commits, by `sha`. */
type Known = Map<string, KnownCommit>

/** As `recordBranch` does. */
function record(known: Known, { mainline, others }: BranchState): void {
  for (const { sha, position } of mainline)
    known.set(sha, { id: known.get(sha)?.id ?? known.size, sha, position, mainline: true })
  for (const [sha, place] of others) {
    const before = known.get(sha)
    if (before === undefined) throw new Error(`${sha} was not known`)
    known.set(sha, {
      ...before,
      position: place?.position ?? null,
      mainline: place?.mainline ?? before.mainline,
    })
  }
}

async function follow(mirror: TestMirror, known: Known, searchDepth = 10): Promise<BranchState> {
  const head: Head = await mirror.fetch(null)
  const state = await readBranch(mirror, head, { known: [...known.values()], searchDepth })
  record(known, state)
  return state
}

test('the first reading has all commits of the branch, the next ones what is new and the search depth', async () => {
  const repository = await createTestRepository()
  await importCommits(repository, 30)
  await repository.git('reset', '--quiet', '--hard')
  const mirror = await createTestMirror(repository.url)
  const known: Known = new Map()
  const first = await follow(mirror, known, 5)
  expect(first.mainline.map(({ position }) => position)).toEqual(Array.from({ length: 30 }, (_, i) => 29 - i))
  expect(first.mainline[0]).toMatchObject({ sha: first.head, subject: 'commit 30', position: 29 })
  for (let count = 0; count < 7; count += 1) await repository.commit({ a: String(count) })
  const second = await follow(mirror, known, 5)
  expect(second.mainline.map(({ position }) => position)).toEqual([36, 35, 34, 33, 32, 31, 30, 29])
  expect(second.others.size).toBe(0)
  expect(known.size).toBe(37)
})

test('after a force-push what the branch left has no place, and what it kept is where it was', async () => {
  const repository = await createTestRepository()
  await importCommits(repository, 30)
  await repository.git('reset', '--quiet', '--hard')
  const mirror = await createTestMirror(repository.url)
  const known: Known = new Map()
  const { head: left } = await follow(mirror, known, 3)
  await repository.git('reset', '--quiet', '--hard', 'HEAD~2')
  const head = await repository.commit({ a: '1' })
  const state = await follow(mirror, known, 3)
  expect(state.mainline[0]).toMatchObject({ sha: head, position: 28 })
  expect(state.others.get(left)).toBeNull()
  const places = [...known.values()].filter(({ position }) => position !== null)
  expect(places).toHaveLength(29)
  expect(places.every(({ mainline }) => mainline)).toBe(true)

  await repository.git('reset', '--quiet', '--hard', left)
  const back = await follow(mirror, known, 3)
  expect(back.head).toBe(left)
  expect(known.get(left)).toMatchObject({ position: 29, mainline: true })
  expect(known.get(head)).toMatchObject({ position: null })
})

/** Commits as the test made them: their parents, the first one first. */
type Graph = Map<string, string[]>

const chainOf = (graph: Graph, head: string): string[] => {
  const [parent] = graph.get(head) ?? []
  return parent === undefined ? [head] : [...chainOf(graph, parent), head]
}

const isWithin = (graph: Graph, sha: string, head: string): boolean =>
  sha === head || (graph.get(head) ?? []).some((parent) => isWithin(graph, sha, parent))

/** Where a commit is, by the definition. */
function placeOf(graph: Graph, sha: string, head: string): { position: number; mainline: boolean } | null {
  const chain = chainOf(graph, head)
  const position = chain.findIndex((each) => isWithin(graph, sha, each))
  return position === -1 ? null : { position, mainline: chain[position] === sha }
}

const step = fc.record({
  kind: fc.constantFrom('commit', 'commit', 'merge', 'foxtrot', 'reset', 'orphan'),
  at: fc.nat(),
  push: fc.boolean(),
})

test('whatever is pushed, every known commit is where Git has it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 4, maxLength: 14 }),
      fc.integer({ min: 1, max: 4 }),
      async (steps, searchDepth) => {
        const repository = await createTestRepository()
        const tree = await repository.git('write-tree')
        const graph: Graph = new Map()
        const make = async (...parents: string[]): Promise<string> => {
          const options = parents.flatMap((parent) => ['-p', parent])
          const sha = await repository.git('commit-tree', tree, '-m', `commit ${graph.size}`, ...options)
          graph.set(sha, parents)
          return sha
        }
        let head = await make()
        const mirror = await createTestMirror(repository.url)
        const known: Known = new Map()
        for (const { kind, at, push } of steps) {
          const other = [...graph.keys()][at % graph.size] ?? head
          if (kind === 'commit') head = await make(head)
          else if (kind === 'merge') head = other === head ? await make(head) : await make(head, other)
          else if (kind === 'foxtrot') head = other === head ? await make(head) : await make(other, head)
          else if (kind === 'orphan') head = await make()
          else head = other
          if (!push) continue
          await repository.git('update-ref', 'refs/heads/main', head)
          const state = await follow(mirror, known, searchDepth)
          expect(state.head).toBe(head)
          const newest = chainOf(graph, head).slice(-searchDepth)
          for (const sha of newest) expect(known.has(sha)).toBe(true)
          for (const { sha, position, mainline } of known.values()) {
            const place = placeOf(graph, sha, head)
            expect(position === null ? null : { position, mainline }).toEqual(place)
          }
        }
      },
    ),
    { numRuns: 6 },
  )
}, 120_000)
