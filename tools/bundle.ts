/** Makes the files that are built from the source before the Worker is: wrangler runs it first. */
import { bundleRehearsal } from './support/rehearsal-bundle.ts'

await bundleRehearsal()
