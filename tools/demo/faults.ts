/** What can go wrong in the shop while it runs. `POST /stats/faults` sets it, as a JSON object of some of these. */

export interface Faults {
  /** `hangs`: whoever pays holds a connection of the shop until the provider's answer has not come for a minute. */
  payment: 'works' | 'hangs'
  /** `broken`: each visit of the configurator searches every order there is, and spoils one. */
  configurator: 'works' | 'broken'
  /** What is left of the capacity: 1 is all, 0.5 half of it. */
  capacityShare: number
}

const CAPACITY_SHARE_MIN = 0.05

export function noFaults(): Faults {
  return { payment: 'works', configurator: 'works', capacityShare: 1 }
}

/** Takes over what was given; a sentence when it cannot be. */
export function setFaults(faults: Faults, given: unknown): string | null {
  if (typeof given !== 'object' || given === null) return 'faults must be a JSON object'
  for (const [name, value] of Object.entries(given)) {
    const wrong = wrongWith(name, value)
    if (wrong !== null) return `${name} ${wrong}, got ${JSON.stringify(value)}`
  }
  Object.assign(faults, given)
  return null
}

function wrongWith(name: string, value: unknown): string | null {
  switch (name) {
    case 'payment':
      return value === 'works' || value === 'hangs' ? null : 'must be works or hangs'
    case 'configurator':
      return value === 'works' || value === 'broken' ? null : 'must be works or broken'
    case 'capacityShare':
      return typeof value === 'number' && value >= CAPACITY_SHARE_MIN && value <= 1
        ? null
        : `must be a number, ${CAPACITY_SHARE_MIN} to 1`
    default:
      return 'is not a fault of this shop'
  }
}
