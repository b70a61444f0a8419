/** The challenge that keeps programs out of the line. */
import * as z from 'zod'
import { oneOf } from '../messages.ts'

export const challengeSettings = z
  .strictObject({
    when: oneOf('off', 'crowded', 'always').default('off'),
    failed: oneOf('again', 'infinite').default('again'),
  })
  .prefault({})
