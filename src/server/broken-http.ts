import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem, PROBLEM_MEDIA_TYPE, PROBLEMS } from '../protocol/problems.ts'
import { sendProblem } from './problem-replies.ts'

/** Options of Fastify and its HTTP server by which also what never reaches a route is answered with a problem document. */
export const brokenHttpOptions = {
  clientErrorHandler: answerBrokenHttp,
  /** Paths that cannot be decoded, or with a part too long for any route. */
  frameworkErrors: (_error: Error, _request: FastifyRequest, reply: FastifyReply) =>
    sendProblem(reply, new Problem('malformed', 'the request target is not a path of this server')),
}

/** Node would answer a request without Host itself, and with an empty body. */
export const httpServerOptions = { requireHostHeader: false }

/** Refuses requests without a Host (RFC 9112, section 3.2), and ignores every Expect but 100-continue (RFC 9110, 10.1.1). */
export function installBrokenHttp(http: FastifyInstance): void {
  http.addHook('onRequest', (request, _reply, done) => {
    const isHostMissing = request.headers.host === undefined && request.raw.httpVersion === '1.1'
    done(isHostMissing ? new Problem('malformed', 'the request has no Host') : undefined)
  })
  http.server.on('checkExpectation', (request, response) => http.server.emit('request', request, response))
}

/**
 * Bytes that are no HTTP request. A request that did not arrive in time is no fault of its sender, whose line is slow: it
 * has to come again, where a `malformed` report would be set aside.
 */
function answerBrokenHttp(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const problem =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new Problem('unavailable', 'the request did not arrive in time', { retryAfter: 1 })
      : new Problem('malformed', 'this is not a well-formed HTTP request')
  const body = JSON.stringify(problem.toDocument())
  const { status } = PROBLEMS[problem.problem]
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${PROBLEM_MEDIA_TYPE}\r\n` +
      (problem.retryAfter === undefined ? '' : `Retry-After: ${problem.retryAfter}\r\n`) +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
