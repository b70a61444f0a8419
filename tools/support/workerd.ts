/** The Worker of this checkout in plain workerd. Used by `serve`, tests and benchmarks. */
import { createRequire } from 'node:module'
import type { Bundle } from '../serving/bundle.ts'
import type { ServeOptions } from '../serving/options.ts'
import { type Served, startWorkerd } from '../serving/workerd.ts'
import { build, isStale, modules, wranglerConfig } from './build.ts'

export type { ServeOptions } from '../serving/options.ts'
export type { Served } from '../serving/workerd.ts'

/** The runtime's executable for this machine's platform. */
export const WORKERD = (createRequire(import.meta.url)('workerd') as { default: string }).default

/** Returns the built Worker. Builds it first if the build is missing or out of date. */
export async function ownBundle(): Promise<Bundle> {
  if (isStale()) await build()
  const { compatibility_date, compatibility_flags = [], vars } = wranglerConfig()
  return {
    modules: modules(),
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
    vars,
    workerd: WORKERD,
  }
}

/** Starts the Worker and waits until it answers. Throws with the runtime's output when it does not. */
export async function startServe(options: ServeOptions): Promise<Served> {
  return startWorkerd(await ownBundle(), options)
}
