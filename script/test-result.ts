// Prints `N passed, N failed` from a report of vitest and its exit status, and exits with 1 unless all is well. A file
// that could not be loaded counts as a failed test, and so does a run that failed for another reason (a crash, an error
// outside of any test, no test found).
import { readFileSync } from 'node:fs'
import { Type } from 'typebox'
import { Value } from 'typebox/value'

const Report = Type.Object({
  testResults: Type.Array(
    Type.Object({
      status: Type.String(),
      assertionResults: Type.Array(Type.Object({ status: Type.String() })),
    }),
  ),
})

const [file = '', exitStatus = ''] = process.argv.slice(2)
const { passed, failed } = count(readFileSync(file, 'utf8'))
const failures = exitStatus === '0' ? failed : Math.max(failed, 1)
process.stdout.write(`${passed} passed, ${failures} failed\n`)
process.exitCode = failures === 0 ? 0 : 1

/** Skipped tests have not passed. A run that crashed leaves no report, or half of one. */
function count(text: string): { passed: number; failed: number } {
  let report: Type.Static<typeof Report>
  try {
    report = Value.Parse(Report, JSON.parse(text))
  } catch {
    return { passed: 0, failed: 1 }
  }
  const statuses = report.testResults.flatMap(({ status, assertionResults }) => {
    const tests = assertionResults.map((test) => test.status)
    return status === 'failed' && !tests.includes('failed') ? [...tests, 'failed'] : tests
  })
  const passes = statuses.filter((status) => status === 'passed').length
  return { passed: passes, failed: statuses.length - passes }
}
