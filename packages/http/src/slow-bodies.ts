/**
 * A request has to arrive within seconds (THREATS H-07), which Node watches for all of a server's connections alike. A route that
 * takes a stream of any length excuses its own requests; a connection on which nothing moves is ended all the same.
 */
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

const excused = new WeakSet<Socket>()

/** Gives this request as long as its sender keeps sending. The next one on the connection has the usual time again. */
export function allowSlowBody(request: FastifyRequest, reply: FastifyReply): void {
  const { socket } = request.raw
  excused.add(socket)
  reply.raw.once('close', () => excused.delete(socket))
}

/** Node reports a request once, when its time is over. */
export function mayArriveSlowly(socket: Socket): boolean {
  return excused.has(socket)
}
