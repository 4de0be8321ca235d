/** As many digits as tell the commits of any repository apart, and as the API finds them by. */
export const shortSha = (sha: string | null): string | null => sha?.slice(0, 12) ?? null
