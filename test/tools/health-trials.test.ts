import { describe, expect, it } from 'vitest'
import { PlainAimd, RoomHealth } from '../../tools/health/control.ts'
import { figuresOf } from '../../tools/health/figures.ts'
import { play } from '../../tools/health/run.ts'
import { CHANGE_SECOND, FILLED_SECOND, TRIALS } from '../../tools/health/trials.ts'

function trial(name: string) {
  const found = TRIALS.find(one => one.name === name)
  if (!found) throw new Error(`no trial is named ${name}`)
  return found
}

const played = new Map<string, ReturnType<typeof play>>()

/** Two hours of the trial, played once for all tests. */
function moments(name: string) {
  const known = played.get(name) ?? play({ ...trial(name), seed: 7 }, new RoomHealth(7))
  played.set(name, known)
  return known
}

function figures(name: string) {
  return figuresOf(moments(name), FILLED_SECOND)
}

/** A trial of two hours takes two seconds on an idle machine. */
const TIMEOUT_MS = 60_000

describe('health control of a simulated origin', { timeout: TIMEOUT_MS }, () => {
  it.each(TRIALS.map(({ name }) => name))(
    'changes direction at most 12 times an hour, and uses at least 55 % of the origin: %s',
    name => {
      const { turnsAnHour, used } = figures(name)
      expect(turnsAnHour).toBeLessThanOrEqual(12)
      // A flapping origin can be used only as far as its worse half allows: 67 % of its mean.
      expect(used).toBeGreaterThan(name.startsWith('half as fast') ? 0.55 : 0.65)
    },
  )

  it.each(TRIALS.map(({ name }) => name).filter(name => /^nothing|^reports|^every/.test(name)))(
    'admits at most 5 % too many sessions: %s',
    name => {
      expect(Math.round(100 * figures(name).overshoot)).toBeLessThanOrEqual(5)
    },
  )

  it('admits at most a tenth too many sessions while the origin gets slower and slower', () => {
    expect(figures('capacity creeps down 40 % in 15 minutes').overshoot).toBeLessThanOrEqual(0.1)
  })

  it('ends the slow pages within a minute after the capacity halves suddenly', () => {
    const { slowSeconds } = figures('capacity halves suddenly')
    expect(slowSeconds).toBeLessThanOrEqual(60)
    const plain = play({ ...trial('capacity halves suddenly'), seed: 7 }, new PlainAimd())
    expect(slowSeconds).toBeLessThan(figuresOf(plain, FILLED_SECOND).slowSeconds)
  })

  it('leaves a hanging origin alone within 20 s, and uses it well again half an hour after it is back', () => {
    const outage = moments('5 minutes without an answer')
    expect(outage.find(({ second, share }) => second >= CHANGE_SECOND && share === 0)?.second).toBeLessThanOrEqual(
      CHANGE_SECOND + 20,
    )
    const late = figuresOf(outage, CHANGE_SECOND + 300 + 1_800)
    expect(late.used).toBeGreaterThan(0.75)
  })

  it('decides nothing when no visitors come any more', () => {
    const health = new RoomHealth(7)
    play({ ...trial('nothing happens, sessions of 1 minute'), seed: 7, crowdUntil: 1_800 }, health)
    const decided = health.steps.filter(({ atMs }) => atMs > 1_000_000_000_000 + 2_400_000)
    expect(decided).toEqual([])
  })
})
