/**
 * Settings of all properties. Lists get as long as their `maxLength`: by default fast-check tries ten elements at most.
 *
 * Every run tries the same inputs, so no test fails by chance. `PROPERTY_SEED=random` tries new inputs, and
 * `PROPERTY_SEED=N` repeats those of a failed run.
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
