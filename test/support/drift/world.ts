import { type Kysely, sql } from 'kysely'
import { finishCommit, markQueued, markRunning } from '../../../src/store/commit-runs.ts'
import { recordBranch } from '../../../src/store/commits.ts'
import { type EvaluationRecord, recordEvaluations } from '../../../src/store/evaluations.ts'
import { addFlake } from '../../../src/store/flakes.ts'
import { addKey } from '../../../src/store/keys.ts'
import { recordReport } from '../../../src/store/reports.ts'
import type { DB } from '../../../src/store/schema.generated.ts'
import { addSystem, changeSystem, setArchived } from '../../../src/store/systems.ts'
import { reportOf, type StoredSystem } from '../entries.ts'
import { createSystemState } from '../messages.ts'
import { newKey } from '../test-agent.ts'
import { firstParents, type GitCommit, placesOn } from './git-graph.ts'
import { type Assignment, type Commit, type Flake, History, type Result, type System } from './history.ts'
import { judgeByHistory, type Verdict } from './reference.ts'
import { createSteps } from './steps.ts'

export interface Transition {
  system: string
  from: string
  to: string
}

/** What a push hides is in the standing. */
const shown = (verdict: Pick<Verdict, 'state' | 'standing'>): string =>
  verdict.state === 'pending' ? verdict.standing : verdict.state

function urlOf(flake: Flake): string {
  const [repository, branch] = flake.name.split('#')
  return `git+https://git.example.org/${repository}?ref=${branch}`
}

/**
 * A database and the history of what was done to it: everything is done to both, and afterwards both are asked how each
 * system stands. `prefix` keeps the names and paths of one world from those of another in the database.
 */
export async function createWorld(db: Kysely<DB>, prefix: string) {
  const history = new History()
  const steps = await createSteps(db)
  const ids = { flakes: new Map<Flake, number>(), systems: new Map<System, StoredSystem>() }
  const commitIds = new Map<string, number>()
  const commitNames = new Map<number, string>()
  const verdicts = new Map<System, Verdict>()
  let lastEvent = 0

  const idOf = (flake: Flake): number => ids.flakes.get(flake) ?? 0
  const storedOf = (system: System): StoredSystem => {
    const stored = ids.systems.get(system)
    if (stored === undefined) throw new Error(`${system.name} is not stored`)
    return stored
  }
  const commitOf = (commit: Commit) => ({
    id: commitIds.get(`${commit.flake.name} ${commit.sha}`) ?? 0,
    flakeId: idOf(commit.flake),
  })
  const pathFrom = (path: string | null): string | null => path?.slice(pathOf('').length) ?? null
  const nameFrom = (id: number | null): string | null =>
    id === null ? null : (commitNames.get(id) ?? `unknown ${id}`)
  const pathOf = (path: string): string => `/nix/store/${prefix}-${path}`

  async function readCommits(flake: Flake): Promise<void> {
    const rows = await db
      .selectFrom('commits')
      .select(['id', 'sha'])
      .where('flake_id', '=', idOf(flake))
      .execute()
    for (const { id, sha } of rows) {
      const name = `${flake.name} ${sha}`
      commitIds.set(name, id)
      commitNames.set(id, name)
    }
  }

  /** What Git says when it is asked: the newest commits, and where the other known ones are. */
  async function push(flake: Flake, head: GitCommit): Promise<void> {
    const chain = firstParents(head)
    const places = placesOn(head)
    const known = [...flake.commits.keys()]
    const lastKnown = chain.findLastIndex(({ sha }) => flake.places.get(sha)?.isFirstParent === true)
    const seen = chain.slice(-Math.max(flake.searchDepth, chain.length - lastKnown))
    const written = { author: 'someone', subject: 'a change', signed: false }
    const times = { authoredAt: new Date(0), committedAt: new Date(0) }
    const mainline = seen
      .map(({ sha }) => ({ sha, position: places.get(sha)?.position ?? -1, ...written, ...times }))
      .toReversed()
    const others = known
      .filter((sha) => !seen.some((commit) => commit.sha === sha))
      .map((sha) => {
        const place = places.get(sha)
        return [sha, place ? { position: place.position, mainline: place.isFirstParent } : null] as const
      })
    history.push(steps.now(), flake, head, seen)
    const state = { branch: 'main', head: head.sha, mainline, others: new Map(others) }
    await recordBranch(db, idOf(flake), state, async () => {})
    await readCommits(flake)
  }

  function recordOf(configuration: string, result: Result): EvaluationRecord {
    const common = { configuration, durationMs: 1, peakMemoryBytes: null, nixVersion: '2.8.0' }
    if (result === 'failed') return { ...common, status: 'failed', cause: 'throw', error: 'no' }
    return {
      ...common,
      status: 'succeeded',
      drvPath: `${pathOf(result.path)}.drv`,
      outPath: pathOf(result.path),
      platform: 'x86_64-linux',
      nixosVersion: null,
      kernelVersion: null,
      stateVersion: null,
      embedsRevision: false,
      specialisations: result.specialisations.map(({ name, path }) => ({ name, outPath: pathOf(path) })),
    }
  }

  const settingsOf = ({ flake, configuration, pinnedPath }: Assignment) => ({
    flakeUrl: flake === null ? null : urlOf(flake),
    configuration,
    pinnedPath: pinnedPath === null ? null : pathOf(pinnedPath),
  })

  return {
    history,
    steps,
    push,

    async addFlake(repository: string, branch: string, searchDepth: number): Promise<Flake> {
      const names = { name: `${prefix}/${repository}#${branch}`, repository: `${prefix}/${repository}` }
      const flake = history.addFlake({ ...names, searchDepth })
      const settings = { url: urlOf(flake), branch: null, allowImportFromDerivation: false, searchDepth }
      ids.flakes.set(flake, (await addFlake(db, settings, false)).id)
      return flake
    },

    async addSystem(name: string, assignment: Assignment): Promise<System> {
      const system = history.addSystem(steps.now(), `${prefix}-${name}`, assignment)
      const settings = { hostname: system.name, environment: null, ...settingsOf(assignment) }
      const systemId = (await addSystem(db, settings, false)) ?? 0
      const key = newKey()
      await addKey(db, { id: key.id, systemId, publicKey: key.publicKey, declared: false })
      ids.systems.set(system, { hostname: system.name, systemId, key })
      return system
    },

    async assign(system: System, assignment: Assignment): Promise<void> {
      history.assign(steps.now(), system, assignment)
      await changeSystem(db, storedOf(system).systemId, settingsOf(assignment))
    },

    async setArchived(system: System, isArchived: boolean): Promise<void> {
      if (isArchived || system.isArchived) verdicts.delete(system)
      system.isArchived = isArchived
      await setArchived(db, storedOf(system).systemId, isArchived)
    },

    /** Observed in this step, or at the beginning of another. Refused for an archived system. */
    async report(system: System, path: string | null, observedIn = steps.now()): Promise<void> {
      if (!system.isArchived) system.reports.push({ path, observedAt: observedIn, receivedAt: steps.now() })
      const state = { ...createSystemState(), current: path === null ? null : pathOf(path) }
      const members = { system: state, observed_at: steps.dateOf(observedIn).toISOString() }
      await recordReport(db, reportOf(storedOf(system), members))
    },

    async evaluate(commit: Commit, results: ReadonlyMap<string, Result>): Promise<void> {
      for (const [configuration, result] of results) history.evaluate(commit, configuration, result)
      const records = [...results].map(([configuration, result]) => recordOf(configuration, result))
      await recordEvaluations(db, commitOf(commit), records)
    },

    async finish(commit: Commit, outcome: 'evaluated' | 'failed'): Promise<void> {
      commit.outcome = outcome
      await finishCommit(
        db,
        commitOf(commit),
        outcome === 'failed'
          ? { status: outcome, cause: 'flake_invalid', error: 'no', canHeal: false }
          : { status: outcome },
      )
    },

    /** It is to be evaluated again, and that has begun. */
    async startAgain(commit: Commit): Promise<void> {
      const { id } = commitOf(commit)
      await markQueued(db, [id])
      await markRunning(db, id, '2.8.0')
    },

    /** How each system stands now by its history, and what changed since the last time this was asked. */
    judge(): { verdicts: Map<string, Verdict>; transitions: Transition[] } {
      const transitions: Transition[] = []
      for (const system of history.systems) {
        if (system.isArchived) continue
        const before = verdicts.get(system) ?? null
        const verdict = judgeByHistory(history, system, before)
        verdicts.set(system, verdict)
        const from = before === null ? 'no_report' : shown(before)
        if (from !== shown(verdict)) transitions.push({ system: system.name, from, to: shown(verdict) })
      }
      return {
        verdicts: new Map([...verdicts].map(([system, verdict]) => [system.name, verdict])),
        transitions,
      }
    },

    /** How each system stands by the database. */
    async read(): Promise<Map<string, Verdict>> {
      const { rows } = await sql<StoredDrift>`
        select s.hostname, d.* from drift d join systems s on s.id = d.system_id
        where s.hostname like ${`${prefix}-%`}`.execute(db)
      const toVerdict = (row: StoredDrift): Verdict => ({
        state: row.state,
        since: steps.stepOf(row.since),
        standing: row.standing,
        standingSince: steps.stepOf(row.standing_since),
        reason: row.reason,
        runningPath: pathFrom(row.running_path),
        desiredPath: pathFrom(row.desired_path),
        runningCommit: nameFrom(row.running_commit_id),
        desiredCommit: nameFrom(row.desired_commit_id),
        headCommit: nameFrom(row.head_commit_id),
        specialisation: row.specialisation,
        configuration: row.configuration,
        commitsBehind: row.commits_behind,
        commitsUnknown: row.commits_unknown,
      })
      return new Map(rows.map((row) => [row.hostname, toVerdict(row)]))
    },

    /** The transitions that are events since the last time this was asked, in the order of the systems. */
    async readTransitions(): Promise<Transition[]> {
      const { rows } = await sql<Transition & { id: number }>`
        select e.id, s.hostname as system, e.details ->> 'from' as "from", e.details ->> 'to' as "to"
        from events e join systems s on s.id = e.system_id
        where e.kind = 'drift' and e.id > ${lastEvent} and s.hostname like ${`${prefix}-%`}
        order by s.id, e.id`.execute(db)
      lastEvent = rows.reduce((last, { id }) => Math.max(last, id), lastEvent)
      return rows.map(({ system, from, to }) => ({ system, from, to }))
    },
  }
}
export type World = Awaited<ReturnType<typeof createWorld>>

interface StoredDrift {
  hostname: string
  state: string
  since: Date
  standing: string
  standing_since: Date
  reason: string | null
  running_path: string | null
  desired_path: string | null
  running_commit_id: number | null
  desired_commit_id: number | null
  head_commit_id: number | null
  specialisation: string | null
  configuration: string | null
  commits_behind: number | null
  commits_unknown: number | null
}
