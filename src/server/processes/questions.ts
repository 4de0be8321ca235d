/** Questions over a channel between two processes: each is answered once, or given up. */
export interface Questions<Answer> {
  /** Null: no answer came within the time. */
  ask: (send: (id: number) => void) => Promise<Answer | null>
  answer: (id: number, answer: Answer) => void
}

export function createQuestions<Answer>(timeoutMs: number): Questions<Answer> {
  const open = new Map<number, (answer: Answer | null) => void>()
  let last = 0
  return {
    ask: (send) =>
      new Promise((resolve) => {
        const id = (last += 1)
        const settle = (answer: Answer | null): void => {
          clearTimeout(timer)
          open.delete(id)
          resolve(answer)
        }
        const timer = setTimeout(() => settle(null), timeoutMs)
        open.set(id, settle)
        send(id)
      }),
    answer: (id, answer) => open.get(id)?.(answer),
  }
}
