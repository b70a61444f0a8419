/** Each file of tests begins with empty objects. Files share a worker, because a worker takes a second to start. */
import { reset } from 'cloudflare:test'
import { beforeAll } from 'vitest'

beforeAll(() => reset())
