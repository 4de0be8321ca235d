import { Badge } from './Badge.tsx'
import type { Shown } from './states.ts'

export function StateBadge({ state }: { state: Shown }) {
  return (
    <Badge tone={state.tone} icon={state.icon} hint={state.hint}>
      {state.text}
    </Badge>
  )
}
