import { errorCode, explainError } from '../../lib/errors.ts'

/** Why Git did not do what it was asked. */
export type GitProblem = keyof typeof PROBLEMS

interface Problem {
  meaning: string
  /** Whether the same question can be answered later without anyone changing something. */
  canHeal: boolean
  /** What Git, ssh or curl say then, in English. */
  says?: RegExp
}

/** The first that matches what Git says is the problem: the more exact ones stand first. */
const PROBLEMS = {
  host_key: {
    meaning: "the server's SSH host key is not the one that is known: check known_hosts_file",
    canHeal: false,
    says: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/,
  },
  unauthorized: {
    meaning: 'the server wants other credentials: check ssh_key_file, netrc_file or access_tokens_file',
    canHeal: false,
    says: /Authentication failed|could not read (Username|Password)|Permission denied \(|Permission denied, please|returned error: 40[13]|Access denied/,
  },
  credentials: { meaning: 'the configured credentials cannot be used', canHeal: false },
  certificate: {
    meaning: "the server's certificate is not trusted",
    canHeal: false,
    says: /certificate problem|certificate verif|SSL: no alternative certificate|self[- ]signed certificate/,
  },
  not_found: {
    meaning: 'there is no such repository, or it may not be read',
    canHeal: false,
    says: /does not appear to be a git repository|repository '?[^\n]*'? ?not found|returned error: 404|could not be found|\bnot a git repository \(or any/i,
  },
  no_branch: {
    meaning: 'the branch does not exist',
    canHeal: false,
    says: /couldn't find remote ref/,
  },
  refused: {
    meaning: 'the address is not of a kind that is allowed',
    canHeal: false,
    says: /transport '[^']*' not allowed|strange (hostname|pathname)|Protocol "[^"]*" (not supported|disabled)|Unsupported (URL scheme|protocol)/,
  },
  disk_full: {
    meaning: 'no space is left',
    canHeal: true,
    says: /No space left on device|Disk quota exceeded/,
  },
  locked: {
    meaning: 'another git process is at work, or was killed',
    canHeal: true,
    says: /\.lock': File exists|cannot lock ref/,
  },
  unreachable: {
    meaning: 'the server cannot be reached',
    canHeal: true,
    says: /Could not resolve|Failed to connect|Couldn't connect|Could not connect|Connection (refused|timed out|reset|closed)|Connection to \S+ closed|No route to host|Network is unreachable|returned error: (5\d\d|429)|Operation too slow|hung up|early EOF|unexpected disconnect|RPC failed|Empty reply|Temporary failure|protocol error|expected flush|invalid server response/,
  },
  damaged: {
    meaning: 'the mirror is damaged, and is made anew by the next fetch',
    canHeal: true,
    says: /not a git repository|invalid gitfile|bad (numeric )?config|corrupt|is empty|does not match|bad (object|tree|ref)|missing (blob|tree|commit|object)|unable to (read|unpack|parse|find)|could not parse|cannot be (read|accessed)|inflate|broken ref|reference broken|invalid (sha1|object)|Could not read [0-9a-f]{40}|did not send all necessary objects|revision walk setup failed|too small|unknown object|truncated|failed to (read|traverse)|object directory/i,
  },
  remote_damaged: { meaning: "the remote's repository is damaged", canHeal: false },
  empty_repository: { meaning: 'the repository has no commits yet', canHeal: false },
  unknown_commit: { meaning: 'the mirror does not have the commit', canHeal: false },
  moved: { meaning: 'the branch moved while it was fetched', canHeal: true },
  too_large: { meaning: 'the answer is larger than what is read', canHeal: false },
  timeout: { meaning: 'it took too long', canHeal: true },
  aborted: { meaning: 'it was cancelled', canHeal: true },
  not_installed: { meaning: 'git cannot be started', canHeal: false },
  failed: { meaning: 'it failed', canHeal: true },
} as const satisfies Readonly<Record<string, Problem>>

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the names
const KINDS = Object.keys(PROBLEMS) as GitProblem[]

/** Long enough for what Git says last, which is the reason. */
const MAX_DETAIL = 1000

export class GitError extends Error {
  override readonly name = 'GitError'
  readonly kind: GitProblem
  /** False when someone has to do something first. */
  readonly canHeal: boolean

  /** `doing`: "cannot fetch …"; `detail`: what Git said, without secrets. */
  constructor(kind: GitProblem, doing: string, detail = '', options?: ErrorOptions) {
    const { meaning, canHeal } = PROBLEMS[kind]
    const said = detail.trim().slice(-MAX_DETAIL).toWellFormed()
    super(`${doing}: ${meaning}${said === '' ? '' : ` (${said})`}`, options)
    this.kind = kind
    this.canHeal = canHeal
  }
}

/** For what went wrong beside Git, as when a directory cannot be made. */
export function asGitError(error: unknown, doing: string): GitError {
  if (error instanceof GitError) return error
  const isFull = ['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '')
  return new GitError(isFull ? 'disk_full' : 'failed', doing, explainError(error), { cause: error })
}

/** The problem that Git's error output tells. */
export function problemIn(stderr: string): GitProblem {
  const isTold = (problem: Problem): boolean => problem.says?.test(stderr) ?? false
  for (const kind of KINDS) if (isTold(PROBLEMS[kind])) return kind
  return 'failed'
}
