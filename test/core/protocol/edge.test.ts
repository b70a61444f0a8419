import { describe, expect, it } from 'vitest'
import { applyEdgeReply, newEdge } from '../../../src/core/protocol/edge.ts'
import type { EdgeReply, Snapshot } from '../../../src/core/protocol/messages.ts'

const NOW = 1_700_000_000_000
const reply = (asOfMs: number, version: string, settings?: string): EdgeReply<string> => ({
  seq: 1,
  snapshot: { asOfMs } as Snapshot,
  version,
  silentMs: 0,
  ...(settings === undefined ? {} : { settings }),
})

describe('the settings in the reply of a door', () => {
  it('come into force with its snapshot, but not with a snapshot older than the known one', () => {
    const edge = newEdge<string>('one')
    expect(applyEdgeReply(edge, reply(NOW, 'v2', 'new'), NOW)).toBe('new')
    // This reply is from another door, which has not reached its room for a while.
    expect(applyEdgeReply(edge, reply(NOW - 5_000, 'v1', 'old'), NOW + 1_000)).toBeUndefined()
    expect([edge.version, edge.settings, edge.snapshot?.asOfMs]).toEqual(['v2', 'new', NOW])
    expect(applyEdgeReply(edge, reply(NOW + 2_000, 'v3', 'newer'), NOW + 2_000)).toBe('newer')
    expect([edge.version, edge.settings]).toEqual(['v3', 'newer'])
  })
})
