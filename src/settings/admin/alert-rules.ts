/** Rules of alerts, as operators write them in a room. */
import * as z from 'zod'
import { type AlertRule, LASTING, MOMENTS } from '../../core/alerts/rules.ts'
import { numberIn, oneOf, textThat } from '../messages.ts'

const RULES_MAX = 30
const KINDS = [...(Object.keys(LASTING) as (keyof typeof LASTING)[]), ...MOMENTS] as const
const THRESHOLD_MAX = 10_000_000

export const receiverName = () =>
  textThat(text => /^[\w-]{1,32}$/.test(text), 'the name of a receiver: letters, digits, - and _')

const rule = z
  .strictObject({
    name: textThat(text => /^[\w .-]{1,64}$/.test(text), 'up to 64 letters, digits, spaces, ., - or _').optional(),
    when: oneOf(...KINDS),
    threshold: numberIn(0, THRESHOLD_MAX, 'fractions').optional(),
    for: numberIn(0, 3_600).default(60),
    pause: numberIn(0, 86_400).default(900),
    to: z.array(receiverName()).min(1).max(10),
  })
  .superRefine(({ when, threshold }, context) => {
    const unit = when in LASTING ? LASTING[when as keyof typeof LASTING] : null
    if (unit !== null && threshold === undefined)
      context.addIssue({ code: 'custom', path: ['threshold'], message: `is required: a number of ${unit}` })
    if (unit === null && threshold !== undefined)
      context.addIssue({ code: 'custom', path: ['threshold'], message: `must not be set: ${when} has no limit` })
  })

export const alertRules = () =>
  z
    .array(rule)
    .max(RULES_MAX)
    .superRefine((rules, context) => {
      rules.forEach((one, index) => {
        const name = nameOf(one)
        if (rules.findIndex(other => nameOf(other) === name) < index)
          context.addIssue({ code: 'custom', path: [index, 'name'], message: `must be unique, and ${name} is not` })
      })
    })
    .default([])

/** Returns the name of a rule. A rule without a name has that of its condition. */
export function nameOf({ name, when }: { readonly name?: string | undefined; readonly when: string }): string {
  return name ?? when
}

/** Returns the rules in the form that the decisions of `core` use. */
export function alertRulesOf(rules: readonly z.output<typeof rule>[]): AlertRule[] {
  return rules.map(one => ({
    name: nameOf(one),
    when: one.when,
    threshold: one.threshold ?? null,
    forMs: one.for * 1_000,
    pauseMs: one.pause * 1_000,
    to: one.to,
  }))
}
