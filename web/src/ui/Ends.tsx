import { Clock, Hourglass } from 'lucide-react'
import { Badge } from './Badge.tsx'
import { Time, useNow } from './Time.tsx'

const DAY_MS = 86_400_000

/** When something stops to work; said louder when that is soon, or was. */
export function Ends({ at, soonMs = 14 * DAY_MS }: { at: string; soonMs?: number }) {
  const left = Date.parse(at) - useNow()
  if (left > soonMs) return <Time at={at} />
  if (left > 0)
    return (
      <Badge tone="warn" icon={Hourglass}>
        <Time at={at} />
      </Badge>
    )
  return (
    <Badge tone="bad" icon={Clock}>
      Ended <Time at={at} />
    </Badge>
  )
}
