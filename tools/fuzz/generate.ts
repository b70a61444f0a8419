/** One request of a run: a usual one with up to four things changed. The same seed and number give the same request. */
import { Random } from '../simulation/random.ts'
import type { Draft } from './draft.ts'
import { body } from './mutations/bodies.ts'
import { cookie } from './mutations/cookies.ts'
import { brokenLine, field, forgery, preflight, upgrade } from './mutations/fields.ts'
import { host } from './mutations/hosts.ts'
import { profile } from './mutations/profiles.ts'
import { method, version } from './mutations/start-lines.ts'
import { target } from './mutations/targets.ts'

/** How often each mutation is chosen. A mutation that the runtime nearly always refuses is rare. */
const MUTATIONS: readonly (readonly [share: number, mutate: (draft: Draft, random: Random) => Draft])[] = [
  [22, target],
  [10, host],
  [10, method],
  [3, version],
  [12, field],
  [12, upgrade],
  [5, preflight],
  [10, forgery],
  [2, brokenLine],
  [22, cookie],
  [9, body],
]
const TOTAL = MUTATIONS.reduce((sum, [share]) => sum + share, 0)
/** How many of a hundred requests have none, one, two, three, four mutations. */
const COUNTS = [12, 35, 28, 15, 10]

export function generate(seed: number, number: number): Draft {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b))
  let draft = profile(random)
  for (let left = countOf(random); left > 0; left--) draft = mutationOf(random)(draft, random)
  return draft
}

function countOf(random: Random): number {
  let lot = random.below(100)
  return COUNTS.findIndex(share => {
    lot -= share
    return lot < 0
  })
}

function mutationOf(random: Random): (draft: Draft, random: Random) => Draft {
  let lot = random.below(TOTAL)
  const found = MUTATIONS.find(([share]) => {
    lot -= share
    return lot < 0
  })
  return (found ?? MUTATIONS[0] ?? [1, (draft: Draft) => draft])[1]
}
