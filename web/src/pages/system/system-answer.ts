import type { Answer } from '../../api/client.ts'

export type SystemAnswer = Answer<'getSystem'>
export type DriftAnswer = NonNullable<SystemAnswer['drift']>
