/** The room of the tests of places. */
import type { Snapshot } from '../../../src/core/protocol/messages.ts'

export const NOW = 1_700_000_100_000
export const WINDOW = 300_000

/** A closed room with 100 people between NOW - 100 s and NOW, called up to 100 s ago, moving at two a second. */
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
