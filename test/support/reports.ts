import type { DoorReport } from '../../src/core/protocol/messages.ts'

/** The first report of a new incarnation of a door, with nothing in it. */
export function emptyReport(door: string): DoorReport {
  return {
    door,
    epoch: 1,
    seq: 1,
    base: 0,
    spent: 0,
    returned: 0,
    live: 0,
    open: true,
    demand: [],
    cells: {},
    version: '',
  }
}
