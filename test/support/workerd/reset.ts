/** Files share a worker. After each file, all objects are deleted, so the next file may use rooms of the same name. */
import { reset } from 'cloudflare:test'
import { afterAll } from 'vitest'

afterAll(reset)
