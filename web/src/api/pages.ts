import { type InfiniteData, useInfiniteQuery, type UseInfiniteQueryResult } from '@tanstack/react-query'
import { type Answer, call, type Input, type OperationName } from './client.ts'
import { READ_AGAIN_MS } from './queries.ts'

/** Operations that answer page by page. */
type Paged = {
  [Name in OperationName]: Answer<Name> extends { next: string | null } ? Name : never
}[OperationName]

/** Reads a list page by page; each page goes on where the one before ended. */
export function usePages<Name extends Paged>(
  name: Name,
  input: Input<Name>,
  options: {
    /** Milliseconds until it is read again. */
    again?: number
  } = {},
): UseInfiniteQueryResult<InfiniteData<Answer<Name>>> {
  return useInfiniteQuery({
    queryKey: [name, input, 'pages'],
    queryFn: async ({ pageParam, signal }): Promise<Answer<Name>> =>
      await call(name, withAfter(input, pageParam), signal),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what Paged says of the answer
    getNextPageParam: (page) => (page as { next: string | null }).next,
    initialPageParam: null as string | null,
    refetchInterval: options.again ?? READ_AGAIN_MS,
  })
}

function withAfter<Name extends OperationName>(input: Input<Name>, after: string | null): Input<Name> {
  if (after === null) return input
  const query: object = 'query' in input ? Object(input.query) : {}
  return { ...input, query: { ...query, after } }
}
