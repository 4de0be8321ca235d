import {
  queryOptions,
  useMutation,
  type UseMutationResult,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/react-query'
import { type Answer, ApiProblem, call, type Input, type OperationName, paramsOf } from './client.ts'

/**
 * Events say when something changed (live/), but not that a host fell silent, that a commit's turn came, or that Git was
 * asked: only time tells. A read costs little; what is not in sight is not read.
 */
export const READ_AGAIN_MS = 60_000

/** A read of the API; its key is the operation's name and what it was asked, which is how events find it (live/stale.ts). */
export function read<Name extends OperationName>(name: Name, input: Input<Name>) {
  return queryOptions({
    queryKey: [name, input] as const,
    queryFn: async ({ signal }): Promise<Answer<Name>> => await call(name, input, signal),
  })
}

/** Reads for a component; of one thing, what was there stays in sight while another part of it loads. */
export function useRead<Name extends OperationName>(
  name: Name,
  input: Input<Name>,
  options: {
    /** Milliseconds until it is read again, where that is not `READ_AGAIN_MS`; false: when something changed. */
    again?: (data: Answer<Name> | undefined) => number | false
  } = {},
): UseQueryResult<Answer<Name>> {
  return useQuery({
    ...read(name, input),
    refetchInterval: ({ state }) => options.again?.(state.data) ?? READ_AGAIN_MS,
    // never what was read of another thing: its facts would stand under the wrong name
    placeholderData: (before, query) =>
      JSON.stringify(paramsOf(query?.queryKey[1])) === JSON.stringify(paramsOf(input)) ? before : undefined,
  })
}

/** A change through the API; afterwards everything that is read is read again. */
export function useChange<Name extends OperationName>(
  name: Name,
): UseMutationResult<Answer<Name>, Error, Input<Name>> {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (input: Input<Name>) => await call(name, input),
    onSuccess: async () => await client.invalidateQueries(),
  })
}

/** Refusals stay refusals; what may pass is tried twice more. */
export function mayPass(failures: number, error: Error): boolean {
  if (error instanceof ApiProblem && error.status < 500 && error.status !== 429) return false
  return failures < 2
}
