/** A difference as text: the raw bytes of the request, what the origin received, and what the client received. */

import type { Answer } from './connection.ts'
import type { Difference } from './differences.ts'
import { marksOf, printable } from './draft.ts'

const SHOWN_MAX = 1_500

export function differenceText({ fault, site, count, first, example, stray }: Difference, seed: number): string {
  const lines = [`${fault}: ${count} times (${site}; first with request ${first} of seed ${seed})`]
  if (stray !== null) lines.push(shown(withoutTokens(stray)))
  if (example) {
    const { sent, arrivals, answer } = example
    lines.push(`-- sent from the ${sent.draft.from} network`, shown(rawOf(example)))
    for (const arrival of arrivals) lines.push('-- the origin got', shown(withoutTokens(arrival.text)))
    if (arrivals.length === 0) lines.push('-- the origin got nothing')
    lines.push(`-- the client got ${answer.kind === 'answer' ? answerText(answer) : answer.kind}`)
  }
  return lines.join('\n')
}

function answerText({ status, body }: Answer & { kind: 'answer' }): string {
  return `${status} ${shown(body.slice(0, 200))}`
}

/** The bytes as they were sent, with the names of tokens in place of tokens. */
function rawOf({ sent }: NonNullable<Difference['example']>): string {
  const { draft, id, target } = sent
  const lines = [`${draft.method} ${target} ${draft.version}`, ...draft.lines, ...marksOf(draft, id)]
  return lines.join(draft.lineEnd) + draft.lineEnd.repeat(2) + draft.body.replaceAll('{id}', id)
}

function withoutTokens(text: string): string {
  return text.replaceAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, '(token)')
}

function shown(text: string): string {
  const whole = printable(text.replaceAll(/(.{1,2}?)\1{60,}/gs, abridged)).trimEnd()
  return whole.length <= SHOWN_MAX ? whole : `${whole.slice(0, SHOWN_MAX)}... (${whole.length} characters)`
}

function abridged(run: string, unit: string): string {
  return `${unit.repeat(3)}(${run.length / unit.length} times)`
}
