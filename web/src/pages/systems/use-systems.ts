import { infiniteQueryOptions, keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { call } from '../../api/client.ts'
import type { SystemRow } from './columns.tsx'
import type { SystemsSearch } from './search.ts'

/** One page of them is read in about 20 ms, and holds many screens. */
const PAGE = 200
/** More than these are not read again by themselves. */
const PAGES_READ_AGAIN = 2

export interface SystemList {
  rows: readonly SystemRow[]
  /** Null until it is known. */
  total: number | null
  error: Error | null
  /** Something in it may have changed since it was read. */
  hasNews: boolean
  refresh: () => void
  /** Asks for more rows, unless that is under way. */
  readOn: () => void
  /** While somebody points at a row, or the keyboard is in one, rows stay where they are. */
  hold: (held: boolean) => void
}

/** The pages of the list that the filters leave. */
export function systemPages(search: SystemsSearch) {
  return infiniteQueryOptions({
    queryKey: ['listSystems', { query: search }, 'pages'],
    queryFn: async ({ pageParam, signal }) =>
      await call(
        'listSystems',
        { query: { ...search, limit: PAGE, ...(pageParam !== null && { after: pageParam }) } },
        signal,
      ),
    getNextPageParam: ({ next }) => next,
    initialPageParam: null as string | null,
    // to read the list again is to read every page that somebody scrolled through: useSystems decides on that
    refetchOnMount: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })
}

/** The list of systems, page by page; what changes in it comes in when that moves nothing under the pointer. */
export function useSystems(search: SystemsSearch): SystemList {
  const [held, hold] = useState(false)
  const pages = useInfiniteQuery({ ...systemPages(search), placeholderData: keepPreviousData })
  const { data, error, hasNextPage, isFetching, isStale, isPlaceholderData, refetch, fetchNextPage } = pages
  const mayRefresh = !held && !isFetching && (data?.pages.length ?? 0) <= PAGES_READ_AGAIN
  const isOld = isStale && data !== undefined && !isPlaceholderData && error === null
  useEffect(() => {
    if (isOld && mayRefresh) void refetch()
  }, [isOld, mayRefresh, refetch])
  return {
    rows: data?.pages.flatMap(({ systems }) => systems) ?? [],
    total: data?.pages.at(-1)?.total ?? null,
    error,
    hasNews: isOld && !mayRefresh && !isFetching,
    refresh: () => void refetch(),
    readOn: () => {
      if (hasNextPage && !isFetching) void fetchNextPage()
    },
    hold,
  }
}
