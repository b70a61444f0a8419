/** Builds the files that the Worker includes. wrangler runs this command before it builds the Worker. */
import { bundleRehearsal } from './support/rehearsal-bundle.ts'

await bundleRehearsal()
