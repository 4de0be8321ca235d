import {
  infiniteQueryOptions,
  keepPreviousData,
  useInfiniteQuery,
  useQueries,
  useQueryClient,
} from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { call } from '../../api/client.ts'
import { READ_AGAIN_MS } from '../../api/queries.ts'
import type { SystemRow } from './columns.tsx'
import { isOtherList, type SystemPage, withFresh } from './fresh-rows.ts'
import type { SystemsSearch } from './search.ts'

/** One page of them is read in about 20 ms, and holds many screens. */
const PAGE = 200
/** A list of more is not read again by itself: only the pages in sight are. */
const PAGES_READ_AGAIN = 2

export interface SystemList {
  rows: readonly SystemRow[]
  /** Null until it is known. */
  total: number | null
  error: Error | null
  /** Which list the rows are of: another one begins at its top. */
  name: string
  /** Systems came, went or moved since the list was read. */
  hasNews: boolean
  refresh: () => void
  /** Asks for more rows, unless that is under way. */
  readOn: () => void
  /** Says which rows are in sight: what changes in them is shown at once. */
  see: (first: number, last: number) => void
  /** While somebody points at a row, or the keyboard is in one, rows stay where they are. */
  hold: (held: boolean) => void
}

async function readPage(
  search: SystemsSearch,
  after: string | null,
  signal: AbortSignal,
): Promise<SystemPage> {
  const query = { ...search, limit: PAGE, ...(after !== null && { after }) }
  return {
    ...(await call('listSystems', { query }, signal)),
    readAt: Date.now(),
    list: JSON.stringify(search),
  }
}

/** The pages of the list that the filters leave. */
export function systemPages(search: SystemsSearch) {
  return infiniteQueryOptions({
    queryKey: ['listSystems', { query: search }, 'pages'],
    queryFn: async ({ pageParam, signal }) => await readPage(search, pageParam, signal),
    getNextPageParam: ({ next }) => next,
    initialPageParam: null as string | null,
    // to read the list again is to read every page that somebody scrolled through: useSystems decides on that
    refetchOnMount: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })
}

/**
 * The list of systems, page by page. The pages in sight are read again whenever something in them may have changed: cells
 * change at once, rows come, go and move when that moves nothing under the pointer.
 */
export function useSystems(search: SystemsSearch): SystemList {
  const client = useQueryClient()
  const [held, hold] = useState(false)
  const [inSight, setInSight] = useState<readonly number[]>([0])
  const [beginnings, setBeginnings] = useState(0)
  const options = systemPages(search)
  const list = useInfiniteQuery({ ...options, placeholderData: keepPreviousData })
  const { data, error, hasNextPage, isFetching, isStale, isPlaceholderData, refetch, fetchNextPage } = list
  // of another list, nothing of this one can be said
  const loaded = isPlaceholderData ? [] : inSight.filter((index) => data?.pages[index] !== undefined)
  const fresh = useQueries({
    queries: loaded.map((index) => {
      const page = data?.pages[index]
      const given = data?.pageParams[index]
      const after = typeof given === 'string' ? given : null
      return {
        queryKey: ['listSystems', { query: search }, 'in sight', after],
        queryFn: async ({ signal }: { signal: AbortSignal }) => await readPage(search, after, signal),
        refetchInterval: READ_AGAIN_MS,
        ...(page !== undefined && { initialData: page, initialDataUpdatedAt: isStale ? 0 : page.readAt }),
      }
    }),
  })
  const freshOf = (index: number): SystemPage | undefined => fresh[loaded.indexOf(index)]?.data
  const pages = (data?.pages ?? []).map((page, index) => withFresh(page, freshOf(index)))
  const isOther = pages.some((page, index) => isOtherList(page, freshOf(index)))
  const mayRefresh = !held && pages.length <= PAGES_READ_AGAIN
  const hasNews = isOther && !isFetching && error === null && !isPlaceholderData
  useEffect(() => {
    if (hasNews && mayRefresh) void refetch()
  }, [hasNews, mayRefresh, refetch])

  return {
    rows: pages.flatMap(({ systems }) => systems),
    total: data?.pages.at(-1)?.total ?? null,
    error,
    name: `${data?.pages[0]?.list} ${beginnings}`,
    hasNews: hasNews && !mayRefresh,
    refresh: () => {
      if (pages.length > PAGES_READ_AGAIN) {
        client.setQueryData(options.queryKey, (all) =>
          all === undefined ? all : { pages: all.pages.slice(0, 1), pageParams: all.pageParams.slice(0, 1) },
        )
        setBeginnings(beginnings + 1)
        setInSight([0])
      }
      void refetch()
    },
    readOn: () => {
      if (hasNextPage && !isFetching) void fetchNextPage()
    },
    see: (first, last) => {
      const seen = [...new Set([first, last].map((index) => Math.floor(index / PAGE)))]
      if (seen.join() !== inSight.join()) setInSight(seen)
    },
    hold,
  }
}
