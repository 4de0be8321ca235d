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

/** Of each commit; more is a message that nobody reads, or a header made by hand. */
const MAX_READ_BYTES = 256 * 1024

/**
 * Reads the output of `git rev-list --header` as it comes: after each commit's name its header and message, then a NUL.
 * A commit can be as large as its author likes.
 */
export function createCommitReader() {
  const records: CommitRecord[] = []
  let parts: Buffer[] = []
  let size = 0
  const keep = (part: Buffer): void => {
    const kept = part.subarray(0, MAX_READ_BYTES - size)
    if (kept.length > 0) parts.push(kept)
    size += kept.length
  }
  const finish = (): void => {
    records.push(parseCommit(Buffer.concat(parts).toString('utf8')))
    parts = []
    size = 0
  }
  return {
    add: (chunk: Buffer): void => {
      let start = 0
      for (let end = chunk.indexOf(0); end !== -1; end = chunk.indexOf(0, start)) {
        keep(chunk.subarray(start, end))
        finish()
        start = end + 1
      }
      keep(chunk.subarray(start))
    },
    records,
  }
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
