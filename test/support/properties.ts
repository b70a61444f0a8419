/** Properties are tried with as many steps as they say: by default fast-check tries ten at most, whatever `maxLength` is. */
import * as fc from 'fast-check'

fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true })
