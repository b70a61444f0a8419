/** Refusals of the admin API: problem details (RFC 9457) that explain what to fix. */

/** Further parts of a refusal. `more` has further members of the body. */
interface Extras {
  readonly headers?: Record<string, string>
  readonly more?: Readonly<Record<string, unknown>>
}

export function fail(
  status: number,
  title: string,
  detail?: string,
  { headers = {}, more = {} }: Extras = {},
): Response {
  const body = { type: 'about:blank', title, status, ...(detail === undefined ? {} : { detail }), ...more }
  return respond(status, body, headers)
}

/** Refuses a whole change. Each problem has the path, the value and the range. */
export function invalid(problems: readonly { readonly path: string; readonly message: string }[]): Response {
  const detail = problems.map(({ path, message }) => `${path} ${message}`.trim()).join('; ')
  return respond(422, { type: 'about:blank', title: 'The change was refused', status: 422, detail, problems })
}

function respond(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', ...headers },
  })
}
