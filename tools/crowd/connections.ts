/**
 * HTTP for thousands of visitors over a bounded number of kept connections. A missing answer is a value, not an error.
 */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

export interface Ask {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** The body is read and thrown away. */
  readonly ignoreBody?: boolean
  readonly bodyBytesMax?: number
}

export interface Answer {
  readonly kind: 'answer'
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The value of `performance.now()` when the head of the answer arrived. */
  readonly headAtMs: number
  readonly tookMs: number
}

export interface Silence {
  readonly kind: 'silence'
  readonly message: string
  readonly tookMs: number
  /** The server closed a kept connection just as it was used again. Like a browser, the crowd asks once more. */
  readonly isStale: boolean
}

export const ANSWER_WITHIN_MS = 15_000
/** About as many sockets as one process can handle. A request beyond that waits for a socket, within its 15 s. */
const SOCKETS_MAX = 2_048
const SOCKETS_IDLE_MAX = 256
/** No page of a real site is longer than this. The limit bounds the memory that 2,000 answers take at once. */
const BODY_BYTES_MAX = 4 * 1024 * 1024

export class Connections {
  readonly #agents: Readonly<Record<string, HttpAgent>>
  readonly #underWay = new Set<ClientRequest>()

  constructor() {
    const options = { keepAlive: true, maxSockets: SOCKETS_MAX, maxFreeSockets: SOCKETS_IDLE_MAX }
    this.#agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) }
  }

  async send(ask: Ask): Promise<Answer | Silence> {
    const startMs = performance.now()
    const first = await this.#once(ask, startMs)
    const isStale = first.kind === 'silence' && first.isStale && ask.method === 'GET'
    return isStale ? this.#once(ask, startMs) : first
  }

  /** Ends all requests under way. Each of them resolves to `Silence`. */
  close(): void {
    for (const request of this.#underWay) request.destroy(new Error('the run is over'))
    for (const agent of Object.values(this.#agents)) agent.destroy()
  }

  #once(ask: Ask, startMs: number): Promise<Answer | Silence> {
    return new Promise(resolve => {
      const { url, method, headers } = ask
      const open = url.protocol === 'https:' ? httpsRequest : httpRequest
      const request = open(url, { method, headers, agent: this.#agents[url.protocol] })
      const leftMs = Math.max(0, startMs + ANSWER_WITHIN_MS - performance.now())
      const timer = setTimeout(
        () => request.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS / 1_000} s`)),
        leftMs,
      )
      const settle = (outcome: Answer | Silence) => {
        clearTimeout(timer)
        this.#underWay.delete(request)
        resolve(outcome)
      }
      const fail = (error: NodeJS.ErrnoException) => {
        const isStale = request.reusedSocket && error.code === 'ECONNRESET'
        settle({ kind: 'silence', message: nameOf(error), tookMs: performance.now() - startMs, isStale })
      }
      this.#underWay.add(request)
      request.on('error', fail)
      request.on('response', response => {
        const headAtMs = performance.now()
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > (ask.bodyBytesMax ?? BODY_BYTES_MAX)) request.destroy(new Error('an answer longer than any page'))
          else if (!ask.ignoreBody) chunks.push(chunk)
        })
        response.on('error', fail)
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8')
          const { statusCode: status = 0, headers } = response
          settle({ kind: 'answer', status, headers, body, headAtMs, tookMs: performance.now() - startMs })
        })
      })
      request.end(ask.body)
    })
  }
}

/** If all addresses of a host fail, Node throws one AggregateError. Then the first error inside gives the message. */
function nameOf(error: Error): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message
  return error.message
}
