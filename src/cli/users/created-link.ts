import { escapeControls, printJson } from '../output.ts'

/**
 * Prints a link alone on stdout, so that `LINK=$(…)` gets it and nothing else; what a person has to know goes to stderr.
 * With `json` prints `answer` instead.
 */
export function printCreatedLink(
  link: string,
  { about, json, answer }: { about: string; json: boolean; answer: object },
): void {
  if (json) {
    printJson(answer)
    return
  }
  process.stdout.write(`${escapeControls(link)}\n`)
  process.stderr.write(`${escapeControls(about)} It is shown this once and stored only as a hash.\n`)
}
