import { ArrowRight, CircleHelp, Equal } from 'lucide-react'
import type { ReactNode } from 'react'
import { sayHead, sayStanding } from '../../../../src/protocol/drift-words.ts'
import { StorePath } from '../../ui/Mono.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { DRIFT } from '../../ui/states.ts'
import { Time } from '../../ui/Time.tsx'
import { CommitLink } from './CommitLink.tsx'
import classes from './System.module.css'
import type { DriftAnswer, SystemAnswer } from './system-answer.ts'

/** What it runs beside what it should run, how that stands, why, and since when. */
export function Drift({ drift, flake }: { drift: DriftAnswer; flake: SystemAnswer['flake_id'] }) {
  const { running_path: running, desired_path: desired, standing, standing_since: since } = drift
  return (
    <div className={classes.drift}>
      <p className={classes.verdict}>
        <StateBadge state={DRIFT[standing]} />
        <span>
          <strong>{sentence(sayStanding(drift))}</strong> Since <Time at={since} />.
        </span>
      </p>
      <div className={classes.paths}>
        <Side title="Runs" flake={flake} path={running} commit={drift.running_commit}>
          {drift.specialisation !== null && (
            <p>
              Specialisation <bdi>{drift.specialisation}</bdi>
            </p>
          )}
          {drift.configuration !== null && (
            <p>
              Configuration <bdi>{drift.configuration}</bdi>
            </p>
          )}
        </Side>
        <Between running={running} desired={desired} />
        <Side title="Should run" flake={flake} path={desired} commit={drift.desired_commit}>
          {null}
        </Side>
      </div>
      <Head drift={drift} flake={flake} />
      {drift.embeds_revision === true && (
        <p className={classes.aside}>
          Every commit changes its path: its configuration embeds the revision (
          <code>system.configurationRevision</code>).
        </p>
      )}
    </div>
  )
}

function Between({ running, desired }: { running: string | null; desired: string | null }) {
  const [Icon, words] =
    running === null || desired === null
      ? [CircleHelp, 'cannot be compared with']
      : running === desired
        ? [Equal, 'is the same as']
        : [ArrowRight, 'differs from']
  return (
    <span className={classes.between}>
      <Icon aria-hidden size={22} />
      <span className="visually-hidden">{words}</span>
    </span>
  )
}

function Side({
  title,
  flake,
  path,
  commit,
  children,
}: {
  title: string
  flake: number | null
  path: string | null
  commit: DriftAnswer['head_commit']
  children: ReactNode
}) {
  return (
    <section className={classes.side} aria-label={title}>
      <h3>{title}</h3>
      {path === null ? <p className={classes.aside}>Not known</p> : <StorePath path={path} />}
      {commit !== null && <CommitLink flake={flake} commit={commit} />}
      {children}
    </section>
  )
}

/** Only where the newest commit is not the one that decides. */
function Head({ drift, flake }: { drift: DriftAnswer; flake: number | null }) {
  const { head_commit: head, desired_commit: desired, since, state } = drift
  const why = sayHead(drift)
  if (head === null || head.id === desired?.id) return null
  return (
    <div className={classes.head}>
      <span>The newest commit</span> <CommitLink flake={flake} commit={head} />
      {why !== null && (
        <span>
          <StateBadge state={DRIFT[state]} /> {why}, since <Time at={since} />
        </span>
      )}
    </div>
  )
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}
