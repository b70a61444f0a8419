/**
 * Settings of all properties. Lists get as long as their `maxLength`: by default fast-check tries ten elements at most.
 *
 * Every run tries the same inputs, so no change fails by the inputs that chance has picked. `PROPERTY_SEED=random`
 * tries new inputs, and `PROPERTY_SEED=N` those of a failure.
 */
import * as fc from 'fast-check'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Null picks new inputs in each run. */
    readonly propertySeed: number | null
  }
}

const seed = inject('propertySeed')
fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true, ...(seed === null ? {} : { seed }) })
