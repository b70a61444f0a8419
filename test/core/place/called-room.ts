/** A room, a visitor and a ticket for the tests of places. */
import { type Outsider, UNKNOWN_YET } from '../../../src/core/place/outsider.ts'
import type { Snapshot } from '../../../src/core/protocol/messages.ts'
import type { Ticket } from '../../../src/core/ticket.ts'

export const NOW = 1_700_000_100_000
export const WINDOW = 300_000

/** A closed room with 100 people in line from NOW - 100 s to NOW. It has called older keys, and calls two a second. */
export const SNAPSHOT: Snapshot = {
  asOfMs: NOW,
  generation: 1,
  open: false,
  held: false,
  full: false,
  ratePerSecond: 2,
  lanes: {
    main: {
      frontierKey: NOW - 100_000,
      lapsedKey: NOW - 400_000,
      calledAhead: 0,
      curve: [NOW - 100_000, 0, NOW, 100],
      speed: { latelyPerSecond: 2, longPerSecond: 2, fastestPerSecond: 2 },
    },
  },
}

/** A visitor whose network is within its quota. */
export const VISITOR: Outsider = {
  purpose: 'enter',
  invitation: 'none',
  invitedTo: null,
  keepsCookie: false,
  behindMs: 0,
  ...UNKNOWN_YET,
  delayMs: 0,
}

/** A confirmed ticket with 50 people ahead. */
export const TICKET: Ticket = {
  room: 'shop',
  sid: 'eu-0.a',
  key: NOW - 50_000,
  lane: 'main',
  confirmed: true,
  low: null,
  byMs: null,
  generation: 1,
  issuedMs: NOW - 10_000,
}
