import { isUnattended } from './attended.ts'
import { type Operations, PLACES, type Problem } from './operations.generated.ts'

export type OperationName = keyof Operations

/** Parameters, query and body of an operation: only those that it has. */
export type Input<Name extends OperationName> = {
  [
    Part in 'params' | 'query' | 'body' as Operations[Name][Part] extends undefined ? never : Part
  ]: Operations[Name][Part]
}

export type Answer<Name extends OperationName> = Operations[Name]['answer']

/** What the server refused or could not do, in its own words. */
export class ApiProblem extends Error {
  readonly document: Problem

  constructor(document: Problem) {
    super(document.detail ?? document.title)
    this.name = 'ApiProblem'
    this.document = document
  }

  get status(): number {
    return this.document.status
  }
}

/** No answer came. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** One request to the API. Throws an ApiProblem when the server refuses, an Unreachable when no answer comes. */
export async function call<Name extends OperationName>(
  name: Name,
  input: Input<Name>,
  signal?: AbortSignal,
): Promise<Answer<Name>> {
  const [method] = PLACES[name]
  const body = 'body' in input ? JSON.stringify(input.body) : undefined
  const response = await fetch(addressOf(name, input), {
    method,
    headers: {
      accept: 'application/json',
      // what a page reads by itself does not keep its session (src/server/api/authorise.ts)
      ...(isUnattended() && { 'crystal-forge-unattended': '1' }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body }),
    ...(signal !== undefined && { signal }),
  }).catch((cause: unknown) => {
    throw new Unreachable('The server cannot be reached', { cause })
  })
  if (!response.ok) throw await problemOf(response)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server answers by the schema the type is made of
  return (response.status === 204 ? undefined : await response.json()) as Answer<Name>
}

/** The address of an operation, for links that the browser follows by itself. */
export function addressOf<Name extends OperationName>(name: Name, input: Input<Name>): string {
  const [, path] = PLACES[name]
  const params = paramsOf(input)
  const query: Record<string, unknown> = 'query' in input ? Object(input.query) : {}
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(String(params[key])))
  const search = new URLSearchParams(
    Object.entries(query)
      .filter(([, value]) => value !== undefined && value !== null && value !== '')
      .map(([key, value]) => [key, String(value)]),
  ).toString()
  return `/api/v1${filled}${search === '' ? '' : `?${search}`}`
}

/** What stands in the path of an operation's address. */
export function paramsOf(input: unknown): Record<string, unknown> {
  return typeof input === 'object' && input !== null && 'params' in input ? Object(input.params) : {}
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const document: unknown = await response.json().catch(() => null)
  if (isProblem(document)) return new ApiProblem(document)
  return new ApiProblem({
    type: 'about:blank',
    title: `The server answered ${response.status} ${response.statusText}`.trim(),
    status: response.status,
  })
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'title' in value && 'status' in value
}
