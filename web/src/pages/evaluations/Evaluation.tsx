import { Link, useParams } from '@tanstack/react-router'
import { useMay } from '../../access/may.ts'
import type { Answer } from '../../api/client.ts'
import { useChange, useRead } from '../../api/queries.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Button } from '../../ui/Button.tsx'
import { Copy } from '../../ui/Copy.tsx'
import { COMMIT, isUnderWay, RESULT, sayCause } from '../../ui/evaluation-states.ts'
import { Facts } from '../../ui/Facts.tsx'
import { Loaded } from '../../ui/Loaded.tsx'
import { Message } from '../../ui/Message.tsx'
import { Revision, StorePath } from '../../ui/Mono.tsx'
import { Page } from '../../ui/Page.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { ProblemNote } from '../../ui/ProblemNote.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { sayDuration, Time } from '../../ui/Time.tsx'

type EvaluationAnswer = Answer<'getEvaluation'>

export function Evaluation() {
  const { id } = useParams({ from: '/shell/evaluations/$id' })
  const evaluation = useRead('getEvaluation', { params: { id: Number(id) } })
  const { data } = evaluation
  const above = <Link to="/evaluations">Evaluations</Link>
  if (data === undefined)
    return (
      <Page title={`Evaluation ${id}`} above={above}>
        <Loaded from={evaluation}>{() => null}</Loaded>
      </Page>
    )
  return (
    <Page title={data.configuration} above={above} actions={<Retry evaluation={data} />}>
      {data.error !== null && (
        <Panel title="Why it failed" actions={<Copy value={data.error} what="Nix's message" />}>
          <Message of={data.error} from="Nix" />
        </Panel>
      )}
      <Panel title="Result">
        <Result evaluation={data} />
      </Panel>
    </Page>
  )
}

function Retry({ evaluation }: { evaluation: EvaluationAnswer }) {
  const mayNot = useMay('operator')
  const retry = useChange('retryEvaluation')
  const { commit_status: status } = evaluation
  const underWay = isUnderWay(status) ? `Its commit is ${COMMIT[status].text.toLowerCase()}` : null
  return (
    <>
      <Button
        busy={retry.isPending}
        disabledReason={mayNot ?? underWay}
        onClick={() => retry.mutate({ params: { id: evaluation.id } })}
      >
        Evaluate again
      </Button>
      {retry.isSuccess && (
        <output>
          Asked for; the result gets a page of its own:{' '}
          <Link
            to="/flakes/$id/commits/$sha"
            params={{ id: String(evaluation.flake_id), sha: evaluation.sha }}
          >
            see the commit
          </Link>
        </output>
      )}
      {retry.error !== null && <ProblemNote error={retry.error} />}
    </>
  )
}

function Result({ evaluation }: { evaluation: EvaluationAnswer }) {
  const { flake_id: flake, sha } = evaluation
  return (
    <Facts
      of={{
        Result: (
          <>
            <StateBadge state={RESULT[evaluation.status]} />{' '}
            {evaluation.cause !== null && <Badge tone="bad">{sayCause(evaluation.cause)}</Badge>}
          </>
        ),
        Configuration: (
          <Link to="/evaluations" search={{ configuration: evaluation.configuration }}>
            at its other commits
          </Link>
        ),
        Flake: (
          <Link to="/flakes/$id" params={{ id: String(flake) }}>
            <bdi>{evaluation.flake_url}</bdi>
          </Link>
        ),
        Commit: (
          <>
            <Revision sha={sha} />{' '}
            <Link to="/flakes/$id/commits/$sha" params={{ id: String(flake), sha }}>
              <bdi>{evaluation.subject ?? 'see it'}</bdi>
            </Link>
          </>
        ),
        'Store path': evaluation.out_path === null ? null : <StorePath path={evaluation.out_path} />,
        Derivation: evaluation.drv_path === null ? null : <StorePath path={evaluation.drv_path} />,
        Specialisations:
          evaluation.specialisations.length === 0 ? null : (
            <ul>
              {evaluation.specialisations.map(({ name, out_path: path }) => (
                <li key={name}>
                  <bdi>{name}</bdi> <StorePath path={path} />
                </li>
              ))}
            </ul>
          ),
        NixOS: evaluation.nixos_version,
        Kernel: evaluation.kernel_version,
        'State version': evaluation.state_version,
        Platform: evaluation.platform,
        'Embeds its revision':
          evaluation.embeds_revision === true
            ? 'yes: every commit changes its path, even where nothing else changes'
            : null,
        Took: sayDuration(evaluation.duration_ms),
        'Memory at most':
          evaluation.peak_memory_bytes === null
            ? null
            : `${Math.round(evaluation.peak_memory_bytes / 1024 / 1024)} MiB`,
        Nix: evaluation.nix_version,
        Evaluated: <Time at={evaluation.evaluated_at} />,
        Systems: (
          <Link to="/systems" search={{ flake }}>
            those compared with this flake
          </Link>
        ),
      }}
    />
  )
}
