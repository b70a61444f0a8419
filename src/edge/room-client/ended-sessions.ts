/**
 * Sessions that are over, in the memory of one isolate. For some seconds their doors are not asked again. A visitor who
 * shows an old token many times gets one new place, not one for each request.
 */
import type { Again } from '../../core/session.ts'
import type { Ticket } from '../../core/ticket.ts'
import type { EndedSession, Memory } from './memory.ts'

/**
 * A session that is over normally stays over. But after 10 s its door is asked again, in case this isolate is mistaken.
 */
const ENDED_FOR_MS = 10_000

/** Sessions by id: the sid of a session, or the name of the ticket with which it began. */
export class EndedSessions {
  readonly #ended: Memory['ended']

  constructor({ ended }: Memory) {
    this.#ended = ended
  }

  /** Returns the facts about a session that is over. Returns undefined if the session may be live. */
  find(id: string, nowMs: number): EndedSession | undefined {
    const known = this.#ended.get(id)
    return known && known.untilMs > nowMs ? known : undefined
  }

  /** Remembers that a session is over. */
  note(
    id: string,
    how: {
      readonly again: Again | null
      readonly byInactivity?: boolean | undefined
      readonly transferred?: boolean | undefined
      readonly requeuedBy?: string
      readonly forMs?: number
    },
    nowMs: number,
  ): void {
    const known = this.find(id, nowMs)
    this.#ended.set(id, {
      untilMs: Math.max(known?.untilMs ?? 0, nowMs + Math.max(how.forMs ?? 0, ENDED_FOR_MS)),
      again: how.again ?? known?.again ?? null,
      byInactivity: how.byInactivity ?? known?.byInactivity ?? false,
      transferred: how.transferred ?? known?.transferred ?? false,
      requeuedBy: how.requeuedBy ?? known?.requeuedBy ?? null,
      next: known?.next ?? null,
    })
  }

  /** Remembers the new place of a visitor whose session is over. */
  noteNext(id: string | undefined, ticket: Ticket): void {
    const known = id === undefined ? undefined : this.#ended.peek(id)
    if (known) known.next = ticket
  }
}
