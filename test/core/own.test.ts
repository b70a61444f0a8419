import { describe, expect, it } from 'vitest'
import { applyReply, decideClaim, newDoor, report, usable } from '../../src/core/door/door.ts'
import { breakerOf } from '../../src/core/health/effect.ts'
import { advance, probed } from '../../src/core/health/health.ts'
import { ingest } from '../../src/core/health/ingest.ts'
import { newHealth } from '../../src/core/health/state.ts'
import { addSamples, lastMinute, newSamples, samplesOf } from '../../src/core/history/samples.ts'
import { own, ownOr } from '../../src/core/own.ts'
import { placeOf } from '../../src/core/place/place.ts'
import { cellOf, readCells, votesCell } from '../../src/core/protocol/health-cells.ts'
import { newRoom, sync } from '../../src/core/room/room.ts'
import type { SessionRules } from '../../src/core/session.ts'
import { RULES } from '../../tools/health/control.ts'
import { MemorySessions } from '../../tools/simulation/sessions.ts'
import { emptyReport } from '../support/reports.ts'
import { ballotOf } from './health/observed.ts'

const T0 = 1_700_000_000_000
/** A valid name of a lane or an upstream, and also a property of every plain object. */
const NAME = 'constructor'
const sessionRules: SessionRules = {
  sessionMs: 300_000,
  renewal: true,
  sessionMaxMs: null,
  reentryGraceMs: 0,
  claimWindowMs: 300_000,
}

describe('a record', () => {
  it('contains what was put there, and not what every object inherits', () => {
    const record: Record<string, number> = { a: 1 }
    expect([own(record, 'a'), own(record, NAME), own(record, '__proto__'), own(undefined, 'a')]).toEqual([
      1,
      undefined,
      undefined,
      undefined,
    ])
    expect([ownOr(record, NAME, () => 7), ownOr(record, NAME, () => 8)]).toEqual([7, 7])
    expect(own(JSON.parse(JSON.stringify(record)) as typeof record, NAME)).toBe(7)
  })
})

describe(`a lane named ${NAME}`, () => {
  const rules = {
    ratePerMinute: 600,
    totalActiveUsers: 1_000,
    claimWindowMs: 300_000,
    lanes: [{ name: NAME, share: 0.2 }],
  }

  it('gets its share of the permits, and its visitors use them', () => {
    const room = newRoom(T0)
    const demand = ['main', NAME].map(lane => ({ lane, ready: 40, oldestKey: T0, perSecond: 0 }))
    const ask = (seq: number) => ({ ...emptyReport('a'), seq, open: false, demand })
    sync(room, ask(1), rules, T0)
    const outcome = sync(room, ask(2), rules, T0 + 5_000)
    if (outcome.kind !== 'applied' || !room.snapshot) throw new Error('not applied')
    expect(outcome.granted).toBe(50)
    expect(outcome.lanes).toEqual({ [NAME]: 10 })
    expect(JSON.parse(JSON.stringify(room.turns))).toEqual({ at: 50, of: { main: 50, [NAME]: 50 } })

    const door = newDoor('a', 1, T0)
    report(door, 0, '', T0)
    const snapshot = {
      ...room.snapshot,
      open: false,
      lanes: { [NAME]: { frontierKey: T0, lapsedKey: 0, calledAhead: 0, curve: [], speed: null } },
    }
    applyReply(door, { epoch: 1, seq: 1, granted: 50, lanes: { [NAME]: 10 }, snapshot }, T0)
    const request = { sid: 'a.1', key: T0 - 1, lane: NAME, generation: 1 }
    expect(
      decideClaim(door, { store: new MemorySessions(), rules: sessionRules }, { request, attempt: 'new' }, T0).verdict,
    ).toBe('admitted')
    expect([usable(door), door.lanes]).toEqual([49, { [NAME]: { granted: 10, gone: 1 } }])
    expect(Object).not.toHaveProperty('granted')
  })

  it('that the room does not know yet counts as the main one', () => {
    const room = newRoom(T0)
    sync(room, emptyReport('a'), { ...rules, lanes: [] }, T0)
    if (!room.snapshot) throw new Error('no snapshot')
    const ticket = {
      room: 'r',
      sid: 'a.1',
      key: T0 + 1,
      lane: NAME,
      confirmed: true,
      low: null,
      byMs: null,
      generation: T0,
      issuedMs: T0,
    }
    expect(placeOf(ticket, { ...room.snapshot, open: false }, 300_000, T0)).toMatchObject({
      state: 'waiting',
      ahead: 0,
    })
    expect(placeOf({ ...ticket, key: T0 }, { ...room.snapshot, open: false }, 300_000, T0).state).toBe('called')
    const door = newDoor('a', 1, T0)
    door.snapshot = { ...room.snapshot, open: false }
    expect(
      decideClaim(door, { store: new MemorySessions(), rules: sessionRules }, { request: ticket, attempt: 'new' }, T0)
        .verdict,
    ).toBe('none')
  })
})

describe(`an upstream named ${NAME}`, () => {
  const upstreams = ['origin', NAME].map(name => ({
    name,
    critical: name === 'origin',
    apdexTarget: 0.85,
    openMs: 30_000,
  }))
  const rules = { ...RULES, upstreams }
  const load = { inside: 100, hasDemand: true, admitted: 0 }
  const operator = { ratePerMinute: 600, totalActiveUsers: 1_000 }

  it('is as healthy as its answers, before the first sample and after', () => {
    const health = newHealth(T0)
    const late = newSamples(T0)
    expect(breakerOf(health, NAME, rules)).toBe('closed')
    expect(samplesOf(lastMinute(late, NAME, T0))).toBe(0)
    for (let nowMs = T0 + 5_000; nowMs <= T0 + 20_000; nowMs += 5_000) {
      const cells = [
        cellOf(NAME, 'failed', 100, nowMs - 1_000),
        votesCell(NAME, ballotOf({ failed: 20 }), nowMs - 1_000),
      ]
      const reports = readCells(Object.fromEntries(cells.map(cell => [cell, 1])), nowMs)
      ingest(health, reports.votes, rules, nowMs)
      addSamples(late, reports.samples, nowMs)
      advance(health, { load, operator, rules, nowMs, random: 0.5 })
    }
    expect(samplesOf(lastMinute(late, NAME, T0 + 20_000))).toBe(4)
    expect(breakerOf(health, NAME, rules)).toBe('open')
    expect(breakerOf(health, 'origin', rules)).toBe('closed')
    const stored = JSON.parse(JSON.stringify(health)) as typeof health
    expect(breakerOf(stored, NAME, rules)).toBe('open')
    const pinned = { ...rules, pins: { ...rules.pins, breakers: { [NAME]: 'closed' as const } } }
    expect(breakerOf(stored, NAME, pinned)).toBe('closed')
    const probing = upstreams[1]
    const good = { tookMs: 100, targetMs: 500 }
    if (probing) for (let n = 0; n < 3; n++) probed(stored, probing, good, { rules, nowMs: T0 + 30_000 + n })
    expect(breakerOf(stored, NAME, rules)).toBe('half-open')
  })
})
