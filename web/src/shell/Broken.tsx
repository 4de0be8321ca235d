import type { ErrorComponentProps } from '@tanstack/react-router'
import { Page } from '../ui/Page.tsx'
import { ProblemNote } from '../ui/ProblemNote.tsx'

/** A page that failed, a chunk of it that a newer server no longer has, for example. */
export function Broken({ error }: ErrorComponentProps) {
  return (
    <Page title="This page failed">
      <ProblemNote
        error={error instanceof Error ? error : new Error(String(error))}
        retry={() => location.reload()}
      />
    </Page>
  )
}
