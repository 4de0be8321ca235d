import { Link } from '@tanstack/react-router'
import { recordOf } from '../../keys.ts'
import { Facts } from '../../ui/Facts.tsx'
import { StorePath } from '../../ui/Mono.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { StateBadge } from '../../ui/StateBadge.tsx'
import { LIVENESS } from '../../ui/states.ts'
import { sayDuration, Time } from '../../ui/Time.tsx'
import type { SystemAnswer } from './system-answer.ts'

const REGISTRATION: Record<SystemAnswer['registration'], string> = {
  active: 'active: it may report',
  pending: 'pending: its key waits for approval',
  keyless: 'keyless: it has no key that may report',
  archived: 'archived: its keys are refused',
}

/** Who it is, how it is heard of, what is said of it, and what its newest report says it booted. */
export function About({ system }: { system: SystemAnswer }) {
  return (
    <>
      <Panel title="Heard of">
        <Heard system={system} />
      </Panel>
      <Panel title="What is said of it">
        <Said system={system} />
      </Panel>
      {system.report_id !== null && (
        <Panel title="What it says itself">
          <Reported system={system} id={system.report_id} />
        </Panel>
      )}
    </>
  )
}

function Heard({ system }: { system: SystemAnswer }) {
  const { last_contact: contact, online_since: since, clock_skew_secs: skew, liveness } = system
  return (
    <Facts
      of={{
        Now: <StateBadge state={LIVENESS[liveness]} />,
        'Last contact': contact === null ? 'never: it has not reported yet' : <Time at={contact} />,
        'Without a break':
          since === null || liveness === 'offline' ? null : (
            <>
              since <Time at={since} />
            </>
          ),
        Reports: contact === null ? null : `every ${sayDuration(system.interval_secs * 1000)}`,
        Clock:
          skew === null || skew === 0
            ? null
            : `${sayDuration(Math.abs(skew) * 1000)} ${skew > 0 ? 'behind' : 'ahead of'} the server's`,
      }}
    />
  )
}

function Said({ system }: { system: SystemAnswer }) {
  const { flake_id: flake, flake_url: url, branch, configuration, pinned_path: pinned } = system
  return (
    <Facts
      of={{
        Registration: REGISTRATION[system.registration],
        Origin: system.declared ? (
          "declared in the server's configuration, and changed there"
        ) : (
          <>
            added <Time at={system.created_at} />
          </>
        ),
        Environment: system.environment === null ? 'none' : <bdi>{system.environment}</bdi>,
        Flake:
          flake === null ? null : (
            <Link to="/flakes/$id" params={{ id: String(flake) }}>
              <bdi>{url}</bdi>
            </Link>
          ),
        Branch: branch === null ? null : <bdi>{branch}</bdi>,
        Configuration: flake === null ? null : <bdi>{configuration ?? system.hostname}</bdi>,
        'Pinned path': pinned === null ? null : <StorePath path={pinned} />,
        'Has to run':
          flake === null && pinned === null ? 'not said: it has no flake and no pinned path' : null,
      }}
    />
  )
}

function Reported({ system, id }: { system: SystemAnswer; id: string }) {
  const { current, booted, profile, generation, reboot_needed: parts } = recordOf(system.system)
  const path = (value: unknown) =>
    typeof value !== 'string' ? (
      'unknown'
    ) : value === current ? (
      'the same as it runs'
    ) : (
      <StorePath path={value} />
    )
  return (
    <Facts
      of={{
        Report: (
          <Link to="/reports/$digest" params={{ digest: id }}>
            <code>{id.slice(0, 19)}…</code>
          </Link>
        ),
        Observed: system.observed_at === null ? null : <Time at={system.observed_at} />,
        Received: system.received_at === null ? null : <Time at={system.received_at} />,
        Booted: path(booted),
        Profile: path(profile),
        Generation: typeof generation === 'number' ? String(generation) : 'unknown',
        'Booted at': system.booted_at === null ? 'unknown' : <Time at={system.booted_at} />,
        'Reboot needed': !Array.isArray(parts)
          ? 'unknown'
          : parts.length === 0
            ? 'no'
            : `yes: ${parts.join(', ')} of the booted system are not those of the profile`,
        Protocol: `version ${system.protocol}`,
      }}
    />
  )
}
