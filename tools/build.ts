/** Bundles the Worker into `dist/`, exactly as a deployment would. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { build, DIST } from './support/build.ts'
import { run } from './support/cli.ts'

await run('npm run build\n\nBundles the Worker into dist/, as a deployment would.', {}, async () => {
  await build()
  console.log(`dist/index.js, ${Math.round(statSync(join(DIST, 'index.js')).size / 1_024)} KiB`)
  return 0
})
