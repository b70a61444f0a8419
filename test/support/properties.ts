/** Lets properties run with lists up to their `maxLength`. By default fast-check tries ten elements at most. */
import * as fc from 'fast-check'

fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true })
