/** Visitors with cookie jars, and edges with the memory of one isolate each, over the real objects. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env as workerEnv } from 'cloudflare:workers'
import { arrivalBucketOf } from '../../../src/core/line/arrivals.ts'
import { createEdge } from '../../../src/edge/edge.ts'
import type { Env } from '../../../src/settings/env.ts'
// Loaded here, because the first call of an object has a time limit.
import '../../../src/index.ts'

export const env = workerEnv as unknown as Env

export type Edge = ReturnType<typeof createEdge>

export const newEdge = (): Edge => createEdge()

/** The request that the test origin received, as its answer describes it. */
export interface AtOrigin {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: string
}

const PAGE = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate' }
const DATA = { Accept: 'application/json' }

export interface Answer {
  readonly response: Response
  readonly status: number
  readonly text: string
  /** Claims and renewals that the edge has made for this request (I9). */
  readonly objectCalls: number
  readonly syncs: number
  /** Present when the request reached the origin. */
  readonly atOrigin: AtOrigin | null
}

/** Background work of requests that no test has waited for yet. */
const background: Promise<void>[] = []

/** Waits for all background work of requests. */
export async function settled(): Promise<void> {
  await Promise.all(background.splice(0))
}

/** Sends a request through an edge. Like a real visitor, it does not wait for background work. */
export async function send(edge: Edge, request: Request, bindings: Env = env): Promise<Answer> {
  const context = createExecutionContext()
  const response = await edge.fetch(request, bindings, context)
  const text = response.webSocket ? '' : await response.clone().text()
  background.push(waitOnExecutionContext(context))
  const trace = response.headers.get('Waiting-Room-Trace') ?? ''
  return {
    response,
    status: response.status,
    text,
    objectCalls: Number(/"object":(\d+)/.exec(trace)?.[1] ?? Number.NaN),
    syncs: Number(/"sync":(\d+)/.exec(trace)?.[1] ?? Number.NaN),
    atOrigin: text.startsWith('{"method"') ? (JSON.parse(text) as AtOrigin) : null,
  }
}

export class Visitor {
  readonly host: string
  readonly jar = new Map<string, string>()
  readonly #edges: readonly Edge[]
  /** Other bindings than the real ones, for edges that cannot reach their objects. */
  bindings: Env = env
  #turn = 0

  /** A visitor whose requests reach these edges one after another. */
  constructor(host: string, ...edges: Edge[]) {
    this.host = host
    this.#edges = edges
  }

  page(path = '/', init: RequestInit = {}): Promise<Answer> {
    return this.send(path, { ...init, headers: { ...PAGE, ...init.headers } })
  }

  data(path = '/', init: RequestInit = {}): Promise<Answer> {
    return this.send(path, { ...init, headers: { ...DATA, ...init.headers } })
  }

  /** The page's own poll. */
  async poll(claim = true): Promise<Answer & { readonly place: Place }> {
    const room = this.host.slice(0, this.host.indexOf('.'))
    const name = room === 'guarded' ? 'checkout' : room
    const answer = await this.data(`/.waiting-room/status?room=${name}${claim ? '&claim=1' : ''}`)
    return { ...answer, place: (answer.status === 200 ? JSON.parse(answer.text) : {}) as Place }
  }

  async send(path: string, init: RequestInit = {}): Promise<Answer> {
    const edge = this.#edges[this.#turn++ % this.#edges.length] as Edge
    const headers = new Headers(init.headers)
    if (this.jar.size > 0) headers.set('Cookie', [...this.jar].map(([name, value]) => `${name}=${value}`).join('; '))
    const answer = await send(edge, new Request(`https://${this.host}${path}`, { ...init, headers }), this.bindings)
    for (const cookie of answer.response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      const equals = pair.indexOf('=')
      if (/Max-Age=0/.test(cookie)) this.jar.delete(pair.slice(0, equals))
      else this.jar.set(pair.slice(0, equals), pair.slice(equals + 1))
    }
    return answer
  }

  /** The token this visitor carries. */
  get token(): string {
    return [...this.jar.values()][0] ?? ''
  }

  set token(text: string) {
    const [name] = this.jar.keys()
    this.jar.set(name ?? `__Host-antesala-${this.host.split('.')[0]}`, text)
  }
}

/** The JSON of a place, with the fields that tests read. */
export interface Place {
  readonly state: 'waiting' | 'called' | 'missed' | 'admitted' | 'none' | 'rejected'
  readonly position: number | null
  readonly pollAfterSeconds: number
  readonly drawAt: string | null
  readonly called: boolean
  readonly event: Record<string, unknown> | null
  readonly message: string
  readonly cfWaitingRoom: Record<string, unknown>
}

/**
 * Returns the visitors whose shown position does not match their key, in a line that no visitor has left.
 * Visitors in one bucket of the line may be shown each other's positions.
 */
export function misplaced<One extends { position: number; key: number }>(line: readonly One[]): One[] {
  return line.filter(one => {
    const before = line.filter(({ key }) => arrivalBucketOf(key) < arrivalBucketOf(one.key)).length
    const beside = line.filter(({ key }) => arrivalBucketOf(key) === arrivalBucketOf(one.key)).length
    return one.position <= before || one.position > before + beside
  })
}

export function claimsOf(token: string): Record<string, unknown> {
  const part = token.split('.')[1] ?? ''
  return JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/'))) as Record<string, unknown>
}
