/** What a commit says of itself: nothing of it is proven. Control characters are left in: escape them where it is shown. */
export interface CommitRecord {
  sha: string
  /** `Name <address>`, at most 256 characters. */
  author: string
  authoredAt: Date
  committedAt: Date
  /** The first paragraph of the message in one line, at most 256 characters. */
  subject: string
  /** Whether a signature is there; nobody has checked it. */
  signed: boolean
}

const MAX_TEXT = 256

/** Seconds from 1970 to the end of the year 9999: Git stores any number, PostgreSQL and people do not. */
const MAX_SECONDS = 253_402_300_799

/** The records of `git rev-list --header`: after each commit's name its header and message, then a NUL. */
export function parseCommits(output: string): CommitRecord[] {
  return output
    .split('\0')
    .filter((record) => record.trim() !== '')
    .map(parseCommit)
}

function parseCommit(record: string): CommitRecord {
  const lines = record.split('\n')
  const end = lines.indexOf('')
  const header = end === -1 ? lines : lines.slice(0, end)
  const author = personIn(header, 'author ')
  return {
    sha: header[0] ?? '',
    author: bounded(author.name),
    authoredAt: author.at,
    committedAt: personIn(header, 'committer ').at,
    subject: bounded(subjectOf(end === -1 ? [] : lines.slice(end + 1))),
    signed: header.some((line) => /^gpgsig(-sha256)? /.test(line)),
  }
}

/** `author Name <address> 1700000000 +0100`; what is not of this form was made by hand. */
function personIn(header: readonly string[], prefix: string): { name: string; at: Date } {
  const line = header.find((each) => each.startsWith(prefix))?.slice(prefix.length) ?? ''
  const [, name = line, seconds = '0'] = /^(.*>) *(\d+)( |$)/.exec(line) ?? []
  return { name: name.trim(), at: new Date(Math.min(Number(seconds), MAX_SECONDS) * 1000) }
}

/** Git indents the message by four spaces. */
function subjectOf(message: readonly string[]): string {
  const lines = message.map((line) => line.slice(4).trim())
  const start = lines.findIndex((line) => line !== '')
  if (start === -1) return ''
  const end = lines.indexOf('', start)
  return lines.slice(start, end === -1 ? undefined : end).join(' ')
}

function bounded(text: string): string {
  // The last place can be half a character.
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1).replace(/[\ud800-\udbff]$/, '')}…` : text
}
