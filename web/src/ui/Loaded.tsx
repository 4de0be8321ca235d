import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ProblemNote } from './ProblemNote.tsx'
import { Skeleton } from './Skeleton.tsx'

/**
 * What was read, or a skeleton of its size while it is read, or why it cannot be. What is there stays in sight when a later
 * reading of it fails.
 */
export function Loaded<T>({
  from,
  skeleton,
  children,
}: {
  from: UseQueryResult<T>
  skeleton?: ReactNode
  children: (data: T) => ReactNode
}) {
  const { data, error, isPending, refetch, isFetching } = from
  if (isPending) return skeleton ?? <Skeleton lines={4} />
  const note = error !== null && <ProblemNote error={error} busy={isFetching} retry={() => void refetch()} />
  return (
    <>
      {note}
      {data !== undefined && children(data)}
    </>
  )
}
