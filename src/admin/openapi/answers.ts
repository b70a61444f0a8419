/** Answers that several operations of the admin API share, as OpenAPI describes them. */

export const problem = { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } }

/** Adds the answers to a bad token, because every path may give them. */
export function answers(more: object) {
  return {
    ...more,
    401: { description: 'No valid token', ...problem },
    403: { description: 'The role does not include this, or the admin API is off because no token is set', ...problem },
    429: {
      description: 'Too many wrong tokens from this network; the right one is accepted all the same',
      headers: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
      ...problem,
    },
  }
}
