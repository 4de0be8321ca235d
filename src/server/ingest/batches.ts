import type { Kysely } from 'kysely'
import { isUnavailable } from '../../store/errors.ts'
import { type HeartbeatEntry, type HeartbeatOutcome, recordHeartbeats } from '../../store/heartbeats.ts'
import { recordReports, type ReportEntry, type ReportOutcome } from '../../store/reports.ts'
import type { DB } from '../../store/schema.generated.ts'
import { type Batcher, type BatchLimits, createBatcher } from './batcher.ts'

/** Rows of a batch of reports: it holds the locks of so many systems for 50 ms. */
const REPORT_ROWS = 100
/** Bytes of bodies; of parsed and written forms there are as many again several times. */
const REPORT_BATCH_BYTES = 2 * 1024 * 1024
const REPORT_WAITING_BYTES = 64 * 1024 * 1024
/**
 * Reports of one system that are under way. Agents send one after the other, and again when none was answered for 30 s; no
 * report is above 1 MiB, so that it takes many systems to fill the queue.
 */
export const REPORTS_AT_ONCE = 4

/** What agents send, on its way into the database. */
export interface Batches {
  heartbeats: Batcher<HeartbeatEntry, HeartbeatOutcome>
  reports: Batcher<ReportEntry, ReportOutcome>
}

export function createBatches(db: Kysely<DB>, limits: BatchLimits = {}): Batches {
  const shared = { keyOf: (row: { systemId: number }) => row.systemId, isFailureOfAll: isUnavailable }
  return {
    heartbeats: createBatcher({
      run: (rows: HeartbeatEntry[]) => recordHeartbeats(db, rows),
      ...shared,
      ...limits,
    }),
    reports: createBatcher({
      run: (rows: ReportEntry[]) => recordReports(db, rows),
      sizeOf: (row) => row.evidence.body.length,
      maxRows: REPORT_ROWS,
      maxSize: REPORT_BATCH_BYTES,
      maxWaiting: REPORT_WAITING_BYTES,
      maxOfKey: REPORTS_AT_ONCE,
      ...shared,
    }),
  }
}
