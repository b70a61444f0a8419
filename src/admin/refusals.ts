/** Refusals of the admin API: problem details (RFC 9457) that explain what to fix. */

export function fail(status: number, title: string, detail?: string, headers: Record<string, string> = {}): Response {
  const body = { type: 'about:blank', title, status, ...(detail === undefined ? {} : { detail }) }
  return respond(status, body, headers)
}

/** Refuses a change as a whole. Each problem has the path, the value and the range. */
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
