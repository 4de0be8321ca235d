import { ASKED_PRIORITY } from '../../store/job-queue.ts'

/** Above every commit that is only searched, and what somebody asks for. */
const HEADS = ASKED_PRIORITY

/** New heads first, the newest of them before the others; a commit that came later has a greater id. */
export function headPriority(commitId: number): number {
  return HEADS + (commitId % HEADS)
}

/** Commits that are searched for what a system runs: the newest first. */
export function searchPriority(position: number): number {
  return position % HEADS
}
