/** Which evaluations are listed. */
export interface EvaluationsSearch {
  status?: 'succeeded' | 'failed'
  configuration?: string
}

export function evaluationsSearch({ status, configuration }: Record<string, unknown>): EvaluationsSearch {
  return {
    ...((status === 'succeeded' || status === 'failed') && { status }),
    ...(typeof configuration === 'string' &&
      configuration !== '' && { configuration: configuration.slice(0, 256) }),
  }
}
