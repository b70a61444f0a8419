/**
 * Faults of the shop that can be switched on while it runs. `POST /stats/faults` takes a JSON object with some of them.
 */

export interface Faults {
  /** `hangs`: a payment holds a connection of the shop for a minute, because the provider does not answer. */
  payment: 'works' | 'hangs'
  /** `broken`: each visit of the configurator searches all orders, and spoils one. */
  configurator: 'works' | 'broken'
  /** Share of the capacity that is left: 1 is all, 0.5 is half. */
  capacityShare: number
}

const CAPACITY_SHARE_MIN = 0.05

export function noFaults(): Faults {
  return { payment: 'works', configurator: 'works', capacityShare: 1 }
}

/** Sets the given faults. Returns a sentence when one of them is wrong, else null. */
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
