/** The challenge that keeps programs out of the line. */
import * as z from 'zod'
import { oneOf, show, textLike } from '../messages.ts'

export const challengeSettings = z
  .strictObject({
    when: oneOf('off', 'crowded', 'always').default('off'),
    failed: oneOf('again', 'infinite').default('again'),
    provider: oneOf('pow', 'turnstile').default('pow'),
    site_key: textLike(/^[\w.-]{0,100}$/, 'a site key of Turnstile: up to 100 letters, digits, - or _').default(''),
  })
  .superRefine(({ provider, site_key }, context) => {
    if (provider !== 'turnstile' || site_key !== '') return
    const message = `must be the site key of a Turnstile widget where provider is "turnstile", got ${show(site_key)}`
    context.addIssue({ code: 'custom', path: ['site_key'], message })
  })
  .prefault({})
