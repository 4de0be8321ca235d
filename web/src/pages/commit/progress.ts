/** That its turn came, and each single result, is no event: it is asked for. */
export const PROGRESS_MS = 2000
