import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ApiProblem } from '../api/client.ts'
import { ProblemNote } from './ProblemNote.tsx'
import { Skeleton } from './Skeleton.tsx'

/**
 * What was read, or a skeleton of its size while it is read, or why it cannot be. What is there stays in sight when a later
 * reading of it fails.
 */
export function Loaded<T>({
  from,
  skeleton,
  missing,
  children,
}: {
  from: UseQueryResult<T>
  skeleton?: ReactNode
  /** Said where there is no such thing, instead of how the server puts it. */
  missing?: ReactNode
  children: (data: T) => ReactNode
}) {
  const { data, error, isPending, refetch, isFetching } = from
  if (isPending) return skeleton ?? <Skeleton lines={4} />
  if (missing !== undefined && data === undefined && isUnknown(error)) return missing
  // of a further page it is said where that page would be (More.tsx)
  const isOfAll = error !== null && !('isFetchNextPageError' in from && from.isFetchNextPageError === true)
  const note = isOfAll && <ProblemNote error={error} busy={isFetching} retry={() => void refetch()} />
  return (
    <>
      {note}
      {data !== undefined && children(data)}
    </>
  )
}

/** Nothing has the name, or nothing can have it. */
function isUnknown(error: Error | null): boolean {
  return error instanceof ApiProblem && (error.status === 404 || error.status === 422)
}
