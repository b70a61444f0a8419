/** The admin API as a typed client. Its operations and bodies are those of the OpenAPI document. */
import type * as z from 'zod'
import type { OPERATIONS, OperationKey } from '../../src/admin/openapi/operations.ts'
import type { BODIES } from '../../src/admin/openapi/schemas.ts'

/** The body of an operation's answer; undefined where it has none. */
export type Body<Key extends OperationKey> = (typeof OPERATIONS)[Key] extends { body: infer Name }
  ? Name extends keyof typeof BODIES
    ? z.output<(typeof BODIES)[Name]>
    : never
  : undefined

interface Asked {
  /** Values for the parts of the path that are in braces, by the name in the braces. */
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
  readonly ifVersion?: string
}

/** A refusal of the API, with a text. A command finds by the status whether it handles the refusal itself. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const ANSWER_WITHIN_MS = 10_000

export class AdminClient {
  readonly #api: string
  readonly #token: string

  /** `address` is the admin host with its scheme. The token is sent to it only, and never printed. */
  constructor(address: string, prefix: string, token: string) {
    this.#api = `${new URL(address).origin}${prefix}/api/v1`
    this.#token = token
  }

  /** Throws Refusal with the reason if the API refuses, and an error with the address if no answer comes. */
  async call<Key extends OperationKey>(key: Key, asked: Asked = {}): Promise<Body<Key>> {
    const response = await this.#fetch(key, asked)
    return (response.status === 204 || response.status === 202 ? undefined : await response.json()) as Body<Key>
  }

  /** Returns the answer as text, for answers that are not JSON. */
  async text(key: OperationKey, asked: Asked): Promise<string> {
    return (await this.#fetch(key, asked)).text()
  }

  async #fetch(key: OperationKey, { path = {}, query = {}, body, ifVersion }: Asked): Promise<Response> {
    const [method = '', pattern = ''] = key.split(' ')
    const place = pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''))
    const url = new URL(this.#api + place)
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
    const headers: Record<string, string> = { Authorization: `Bearer ${this.#token}` }
    if (ifVersion !== undefined) headers['If-Match'] = `"${ifVersion}"`
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
    let response: Response
    try {
      response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
    } catch (error) {
      throw new Error(`${url.origin} did not answer: ${String((error as Error).cause ?? error)}`)
    }
    if (response.ok) return response
    throw new Refusal(response.status, await refusalOf(response, url))
  }
}

async function refusalOf(response: Response, url: URL): Promise<string> {
  const problem = (await response.json().catch(() => ({}))) as z.output<(typeof BODIES)['Problem']>
  if (response.status === 404 && problem.title === undefined)
    return `${url.origin} has no admin API here: is it the ADMIN_HOST, and the control prefix ${url.pathname.split('/api/')[0]}?`
  if (problem.problems) return problem.problems.map(({ path, message }) => `${path} ${message}`).join('\n')
  return [`${url.origin} answered ${response.status}`, problem.title, problem.detail].filter(Boolean).join(': ')
}
