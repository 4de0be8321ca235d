import { Link, useParams } from '@tanstack/react-router'
import { useMay } from '../../access/may.ts'
import type { Answer } from '../../api/client.ts'
import { READ_AGAIN_MS, useChange, useRead } from '../../api/queries.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Button } from '../../ui/Button.tsx'
import { COMMIT, isUnderWay, sayCause } from '../../ui/evaluation-states.ts'
import { Facts } from '../../ui/Facts.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Message } from '../../ui/Message.tsx'
import { Revision } from '../../ui/Mono.tsx'
import { Page } from '../../ui/Page.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { ProblemNote } from '../../ui/ProblemNote.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { Time } from '../../ui/Time.tsx'
import { Changes } from './Changes.tsx'
import classes from './Commit.module.css'
import { Inputs } from './Inputs.tsx'
import { PROGRESS_MS } from './progress.ts'
import { Results } from './Results.tsx'

type CommitAnswer = Answer<'getCommit'>

export function Commit() {
  const { id: text, sha } = useParams({ from: '/shell/flakes/$id/commits/$sha' })
  const flake = Number(text)
  const commit = useRead(
    'getCommit',
    { params: { sha }, query: { flake } },
    { again: (read) => (read !== undefined && isUnderWay(read.status) ? PROGRESS_MS : READ_AGAIN_MS) },
  )
  const above = (
    <>
      <Link to="/flakes">Flakes</Link> /{' '}
      <Link to="/flakes/$id" params={{ id: text }}>
        <bdi>{commit.data?.flake_url ?? text}</bdi>
      </Link>
    </>
  )
  const { data } = commit
  if (data === undefined)
    return (
      <Page title={`Commit ${sha.slice(0, 10)}`} above={above}>
        <Loaded from={commit}>{() => null}</Loaded>
      </Page>
    )
  return (
    <Page title={titleOf(data)} above={above} actions={<Actions commit={data} />}>
      <Panel title="Evaluation">
        <Evaluation commit={data} />
      </Panel>
      <Changes commit={data} />
      <Results commit={data} />
      {data.inputs !== null && data.inputs.length > 0 && <Inputs inputs={data.inputs} />}
    </Page>
  )
}

const titleOf = ({ subject, sha }: CommitAnswer): string =>
  subject === null || subject === '' ? `Commit ${sha.slice(0, 10)}` : subject

function Actions({ commit }: { commit: CommitAnswer }) {
  const mayNot = useMay('operator')
  const evaluate = useChange('evaluateCommit')
  const { status, flake_id: flake, sha } = commit
  const underWay = isUnderWay(status) ? COMMIT[status].hint : null
  const ask = (again: 'none' | 'failed'): void =>
    evaluate.mutate({ params: { sha }, query: { flake }, body: { again } })
  const isDone = status === 'evaluated' || status === 'failed'
  const nothing = status === 'evaluated' && commit.failed === 0 ? 'Nothing of it failed' : null
  return (
    <>
      <Button
        busy={evaluate.isPending}
        disabledReason={mayNot ?? underWay ?? (isDone ? nothing : null)}
        onClick={() => ask(isDone ? 'failed' : 'none')}
      >
        {isDone ? 'Evaluate again what failed' : 'Evaluate'}
      </Button>
      {evaluate.error !== null && <ProblemNote error={evaluate.error} />}
    </>
  )
}

function Evaluation({ commit }: { commit: CommitAnswer }) {
  const { progress } = commit
  return (
    <div className={classes.evaluation}>
      {progress !== null && (
        <div className={classes.progress}>
          <progress
            aria-label="Configurations evaluated"
            {...(progress.total !== null && { value: progress.done, max: progress.total })}
          />
          <output>
            {progress.total === null
              ? 'Reading the flake …'
              : `${progress.done} of ${progress.total} configurations`}
          </output>
        </div>
      )}
      <Facts
        of={{
          State: (
            <>
              <StateBadge state={COMMIT[commit.status]} />{' '}
              {commit.cause !== null && <Badge tone="bad">{sayCause(commit.cause)}</Badge>}
            </>
          ),
          Revision: <Revision sha={commit.sha} />,
          Branch: commit.is_head ? (
            'the newest commit of it'
          ) : commit.left_at === null ? (
            'a commit of it'
          ) : (
            <>
              not on it any more, since <Time at={commit.left_at} />
            </>
          ),
          Author: commit.author === null ? null : <bdi>{commit.author}</bdi>,
          Signature: commit.signed === null ? null : commit.signed ? 'present; not checked' : 'none',
          Committed: commit.committed_at === null ? null : <Time at={commit.committed_at} />,
          Arrived: <Time at={commit.arrived_at} />,
          Evaluated: commit.finished_at === null ? null : <Time at={commit.finished_at} />,
          Before:
            commit.previous === null ? null : (
              <Link
                to="/flakes/$id/commits/$sha"
                params={{ id: String(commit.flake_id), sha: commit.previous.sha }}
              >
                <code>{commit.previous.sha.slice(0, 10)}</code>
              </Link>
            ),
          Nix: commit.nix_version,
          Error: commit.error === null ? null : <Message of={commit.error} from="Nix" />,
        }}
      />
    </div>
  )
}
