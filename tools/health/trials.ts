/**
 * The trials. In each of them the origin, the limit or the reports change. Each trial begins with a healthy origin and
 * with a crowd that would overload it.
 */
import type { Condition } from './origin.ts'
import type { Trial } from './run.ts'

const HOUR = 3_600
/** At the beginning more visitors are inside than the origin bears. This is over by this second. */
export const FILLED_SECOND = 900
/** The second in which the origin changes. */
export const CHANGE_SECOND = 2_400

const well: Condition = { speed: 1, down: 'no' }

function speed(by: number): Condition {
  return { speed: by, down: 'no' }
}

export type NamedTrial = Omit<Trial, 'seed'> & { readonly name: string }

const usual = { seconds: 2 * HOUR, sessionSeconds: 300, condition: () => well }

export const TRIALS: readonly NamedTrial[] = [
  { ...usual, name: 'nothing happens, sessions of 1 minute', sessionSeconds: 60 },
  { ...usual, name: 'nothing happens, sessions of 5 minutes' },
  { ...usual, name: 'nothing happens, sessions of 15 minutes', sessionSeconds: 900 },
  { ...usual, name: 'a hundred times as many allowed as are borne', totalOverKnee: 100 },
  {
    ...usual,
    name: 'capacity halves suddenly',
    condition: second => (second < CHANGE_SECOND ? well : speed(0.5)),
  },
  {
    ...usual,
    name: 'capacity creeps down 40 % in 15 minutes',
    condition: second => speed(1 - 0.4 * Math.min(1, Math.max(0, (second - CHANGE_SECOND) / 900))),
  },
  {
    ...usual,
    name: '5 minutes of errors',
    condition: second => (isIn(second, CHANGE_SECOND, 300) ? { speed: 1, down: 'errors' } : well),
  },
  {
    ...usual,
    name: '5 minutes without an answer',
    condition: second => (isIn(second, CHANGE_SECOND, 300) ? { speed: 1, down: 'hangs' } : well),
  },
  {
    ...usual,
    name: 'half as fast, every other 20 seconds',
    condition: second => (second > CHANGE_SECOND && Math.floor(second / 20) % 2 === 1 ? speed(0.5) : well),
  },
  { ...usual, name: 'reports 30 seconds late', reportDelaySeconds: 30 },
  { ...usual, name: 'every other report lost', reportsLost: 0.5 },
]

function isIn(second: number, from: number, length: number): boolean {
  return second >= from && second < from + length
}
