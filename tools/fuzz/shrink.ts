/** Finds the smallest request that still shows a fault, by leaving out one part after another. */
import type { Draft } from './draft.ts'
import { headerOf } from './wire.ts'

/** The most requests that are spent on one fault. */
const TRIES_MAX = 80

const FRAMING = /^(content-length|transfer-encoding|trailer)$/

export async function shrink(draft: Draft, shows: (smaller: Draft) => Promise<boolean>): Promise<Draft> {
  let smallest = draft
  let tries = 0
  for (;;) {
    let found: Draft | null = null
    for (const candidate of smallerThan(smallest)) {
      if (tries === TRIES_MAX) return smallest
      tries += 1
      if (!(await shows(candidate))) continue
      found = candidate
      break
    }
    if (!found) return smallest
    smallest = found
  }
}

function* smallerThan(draft: Draft): Generator<Draft> {
  if (draft.body !== '') {
    const lines = draft.lines.filter(line => !FRAMING.test(headerOf(line)[0]))
    yield { ...draft, lines, body: '', content: '' }
  }
  for (let index = draft.lines.length - 1; index >= 0; index--) {
    // Without its length the body would be read as another request.
    if (draft.body !== '' && FRAMING.test(headerOf(draft.lines[index] ?? '')[0])) continue
    yield { ...draft, lines: draft.lines.filter((_, other) => other !== index) }
  }
  if (draft.lineEnd !== '\r\n') yield { ...draft, lineEnd: '\r\n' }
  if (draft.version !== 'HTTP/1.1') yield { ...draft, version: 'HTTP/1.1' }
  if (draft.from !== 'ordinary') yield { ...draft, from: 'ordinary' }
  const [path = '', ...query] = draft.target.split('?')
  const shorter = path.replace(/(.)\/[^/]*$/, '$1')
  if (shorter !== path) yield { ...draft, target: [shorter, ...query].join('?') }
  if (draft.target.includes('&')) yield { ...draft, target: draft.target.replace(/&.*$/s, '') }
  if (draft.method !== 'GET') yield { ...draft, method: 'GET' }
}
