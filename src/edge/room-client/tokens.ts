/**
 * The tokens of one room at one isolate: this file reads, remembers and signs them. It keeps the key ring, so that no
 * other part of the edge needs it.
 */
import type { Batch, Draw, Pass, Ticket } from '../../core/ticket.ts'
import { newChallenge, type Tested, testSolution } from '../../tokens/challenges.ts'
import { drawnKey } from '../../tokens/draw.ts'
import { type Invitation, isInForce, readInvitation } from '../../tokens/invitations.ts'
import type { KeyRing } from '../../tokens/keyring.ts'
import { isOf, needsVerifying, readToken, signPass, signTicket, type Token } from '../../tokens/tokens.ts'
import type { Memory } from './memory.ts'

/** The invitation with which a visitor comes, if any. */
export type Invited =
  | { readonly kind: 'none' }
  | { readonly kind: 'valid'; readonly invitation: Invitation }
  /** The invitation is not genuine, or not valid now. */
  | { readonly kind: 'invalid' }

export class RoomTokens {
  readonly #room: string
  readonly #ring: KeyRing
  readonly #memory: Memory

  constructor(room: string, ring: KeyRing, memory: Memory) {
    this.#room = room
    this.#ring = ring
    this.#memory = memory
  }

  /** Verifies a token, and remembers it for further requests. */
  async read(text: string, nowMs: number): Promise<Token> {
    const known = this.#memory.passes.get(text) ?? this.#memory.tickets.get(text)
    if (known && isOf(known, this.#room, nowMs)) return known
    const token = await readToken(this.#ring, text, this.#room, nowMs)
    this.#remember(text, token)
    return token
  }

  /** True if a text looks like a token, and reading it would cost a signature check. */
  isCostly(text: string): boolean {
    if (this.#memory.passes.has(text) || this.#memory.tickets.has(text)) return false
    return needsVerifying(this.#ring, text)
  }

  /** Verifies an invitation, and remembers it if it is genuine. */
  async readInvitation(text: string, nowMs: number): Promise<Invited> {
    const own = `${this.#room} ${text}`
    const known = this.#memory.invitations.get(own)
    const invitation = known ?? (await readInvitation(this.#ring, text, this.#room))
    if (!invitation) return { kind: 'invalid' }
    if (!known) this.#memory.invitations.set(own, invitation)
    return isInForce(invitation, nowMs) ? { kind: 'valid', invitation } : { kind: 'invalid' }
  }

  /** Signs a pass, and remembers it, so that this isolate need not verify it when the visitor brings it back. */
  async signPass(pass: Pass): Promise<string> {
    const text = await signPass(this.#ring, pass)
    this.#remember(text, { kind: 'pass', pass })
    return text
  }

  /** Signs a ticket, and remembers it. */
  async signTicket(ticket: Ticket): Promise<string> {
    const text = await signTicket(this.#ring, ticket)
    this.#remember(text, { kind: 'ticket', ticket })
    return text
  }

  /** Draws a place in a batch with the newest key. Returns a null key if that key cannot draw. */
  async draw(sid: string, batch: Batch): Promise<{ readonly draw: Draw; readonly key: number | null }> {
    const draw = { ...batch, kid: this.#ring.tickets.sign.kid }
    return { draw, key: await drawnKey(this.#ring, this.#room, sid, draw) }
  }

  /** Returns a new challenge for a ticket. `work` is the number of iterations of each hash. */
  newChallenge(ticket: Ticket, work: number, nowMs: number): ReturnType<typeof newChallenge> {
    return newChallenge(this.#ring, ticket, work, nowMs)
  }

  /** Tests what a visitor has sent as the solution for a ticket. */
  testSolution(ticket: Ticket, given: unknown): Promise<Tested> {
    return testSolution(this.#ring, ticket, given)
  }

  /** Forgeries are not remembered, because they would push genuine tokens out of memory. */
  #remember(text: string, token: Token): void {
    if (token.kind === 'pass') this.#memory.passes.set(text, token)
    else if (token.kind === 'ticket') this.#memory.tickets.set(text, token)
  }
}
