import { ApiProblem, call } from '../../api/client.ts'
import { chainOf } from './texts.ts'
import { type Check, idOf, type SignedReport } from './verify.ts'

/** A report and the change of its key may cross in the database, each at the time at which it began. */
const CROSSED_MS = 60_000

/** Whose key it is, and what became of it, is the server's word: it has to be one that a report could come by. */
export async function checkKeyOfSystem(
  { hostname, key_id: id, received_at: received }: SignedReport,
  signal: AbortSignal,
): Promise<Check> {
  const name = `The key is one of ${hostname}, and worked when the report came`
  try {
    const { keys } = await call('listSystemKeys', { params: { hostname } }, signal)
    const key = keys.find((each) => each.id === id)
    if (key === undefined)
      return { name, found: 'The server lists no such key of this system', passed: false }
    const { created_at: added, revoked_at: revoked, status } = key
    const came = Date.parse(received)
    const wasThere = Date.parse(added) <= came + CROSSED_MS
    const worked = revoked === null || Date.parse(revoked) >= came - CROSSED_MS
    const then = `added ${sayTime(added)}${wasThere ? '' : ', after the report came'}`
    const now =
      revoked === null
        ? `${status} now`
        : `revoked ${sayTime(revoked)}, ${worked ? 'after' : 'before'} the report came`
    return { name, found: `${then}; ${now}`, passed: wasThere && worked }
  } catch (error) {
    return unread(name, error)
  }
}

/** The link to the report before: its body is hashed here, whatever the server says of it. */
export async function checkReportBefore(report: SignedReport, signal: AbortSignal): Promise<Check> {
  const name = 'The report before has the SHA-256 that this one names'
  const { previous, chain } = report
  if (previous === null) return { name, found: chainOf(chain).hint, passed: null }
  try {
    const found = await idOf((await call('getReport', { params: { digest: previous } }, signal)).evidence)
    return { name, found, passed: found === previous }
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 404) return unread(name, error)
    const why =
      chain === 'gap' ? chainOf(chain).hint : 'It was there, and is kept no longer: retention removed it.'
    return { name, found: why, passed: null }
  }
}

function unread(name: string, error: unknown): Check {
  const why = error instanceof ApiProblem ? error.message : 'the server cannot be reached'
  return { name, found: `Not known: ${why}`, passed: null }
}

/** `2026-11-28 10:00:05 UTC` */
function sayTime(at: string): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
