import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem, PROBLEM_MEDIA_TYPE, PROBLEMS } from '../protocol/problems.ts'
import { isUnavailable } from '../store/errors.ts'

/** Seconds a client is asked to wait when the database is away: about a restart of PostgreSQL. */
const RETRY_AFTER_SECS = 5

/** Answers every error with its problem document, logs what is not the client's doing, and says nothing of the inside. */
export function installProblemReplies(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error)
    if (PROBLEMS[problem.problem].status >= 500) {
      const { method, routeOptions } = request
      request.log.error({ err: error, method, route: routeOptions.url }, 'request failed')
    }
    return sendProblem(reply, problem)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new Problem('not-found', `there is no ${request.method} ${pathOf(request)}`)),
  )
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  reply.problem = problem.problem
  const document = problem.toDocument()
  if (problem.retryAfter !== undefined) reply.header('retry-after', problem.retryAfter)
  if (problem.problem === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
  return reply.code(document.status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(document))
}

/** What is thrown anywhere, as the problem the client sees. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (isUnavailable(error))
    return new Problem('unavailable', 'the database cannot be reached', {
      cause: error,
      retryAfter: RETRY_AFTER_SECS,
    })
  return isFastifyError(error) ? fromFastify(error) : internal(error)
}

function fromFastify(error: FastifyError): Problem {
  if (error.validation !== undefined)
    return new Problem('invalid', error.message, {
      members: {
        errors: error.validation.map((each) => ({
          path: `/${error.validationContext ?? ''}${each.instancePath}`,
          message: each.message ?? 'is not valid',
        })),
      },
    })
  if (error.statusCode === 413) return new Problem('too-large', 'the body is larger than this path accepts')
  if (error.statusCode === 415) return new Problem('unsupported', error.message)
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500)
    return new Problem('malformed', error.message)
  return internal(error)
}

function internal(error: unknown): Problem {
  return new Problem('internal', 'the server failed to handle the request; its log says why', {
    cause: error,
  })
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'statusCode' in error
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0]?.slice(0, 200) ?? ''
}
