/**
 * The directives that an origin may put into its answer: end a visitor's session, or extend it. This file also removes
 * marks like ours, which an origin must not use.
 */
import { seldom } from '../../runtime/log.ts'
import type { Admitted } from '../gate/verdict.ts'
import { NAME_HEADER, STATE_HEADER } from '../mark.ts'
import type { Visit } from '../request/visit.ts'

/** The headers of directives and of our mark. Visitors must not get them from the origin. */
const HEADERS = ['Waiting-Room-Command', 'Cf-Waiting-Room-Command', STATE_HEADER, NAME_HEADER]
/** The longest extension. A longer one is a mistake. */
const EXTEND_MAX_SECONDS = 24 * 60 * 60

type OriginDirective = { readonly order: 'revoke' } | { readonly order: 'extend'; readonly seconds: number }

/** Reads `revoke` or `extend=SECONDS`, in any case. Returns null for anything else. */
function directiveOf(headers: Headers): OriginDirective | null {
  const text = headers.get('Waiting-Room-Command')?.trim().toLowerCase()
  if (text === 'revoke' || headers.get('Cf-Waiting-Room-Command')?.trim().toLowerCase() === 'revoke')
    return { order: 'revoke' }
  const seconds = Number(/^extend=(\d{1,9})$/.exec(text ?? '')?.[1] ?? 0)
  return seconds > 0 ? { order: 'extend', seconds: Math.min(seconds, EXTEND_MAX_SECONDS) } : null
}

/** Returns the names of those headers in an origin's answer that visitors must not get. */
export function withheldHeaders(headers: Headers): readonly string[] {
  return HEADERS.filter(name => headers.has(name))
}

/** Carries out the origin's directive in the background. The visitor's answer does not wait for it. */
export function carryOutDirective(visit: Visit, admissions: readonly Admitted[], headers: Headers): void {
  const directive = directiveOf(headers)
  if (!directive) return
  for (const { room, sid } of admissions) {
    const done =
      directive.order === 'revoke'
        ? room.sessions.end(visit, sid, 'revoked')
        : room.sessions.extend(visit, sid, directive.seconds * 1_000)
    visit.waitUntil(
      done.catch((error: unknown) => {
        seldom.note('order-failed', { room: room.name, order: directive.order, detail: String(error) }, visit.nowMs)
      }),
    )
  }
}
