import type { ProblemName } from '../../../src/protocol/problems.ts'
import type { TestAgent } from '../../support/test-agent.ts'
import type { TestServer, TestServerOptions } from '../../support/test-server.ts'

export interface Given {
  server: TestServer
  /** A registered agent that has reported once. */
  agent: TestAgent
}

/** What is compared of an answer. */
export interface Reply {
  status: number
  headers: Record<string, unknown> | Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- the tests say what they expect in it
  body: any
}

/** One way to be refused. `arrange` prepares it and returns the request; only that may change nothing. */
export interface Refusal {
  problem: ProblemName
  when: string
  arrange: (given: Given) => Promise<() => Promise<Reply | null>>
  /** A server of its own, with these options; `before` runs first and `after` last. */
  options?: TestServerOptions
  before?: () => Promise<void>
  after?: () => Promise<void>
  /** Further members of the problem document. */
  members?: object
  /** Whether the answer has to say when to come again. */
  retryAfter?: true
}

/** A refusal that needs no preparation. */
export const refusal = (
  problem: ProblemName,
  when: string,
  request: (given: Given) => Promise<Reply | null>,
  more: Partial<Refusal> = {},
): Refusal => ({
  problem,
  when,
  arrange: (given) => Promise.resolve(() => request(given)),
  ...more,
})
