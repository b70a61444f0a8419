/**
 * Bypass rules as operators write them. Every condition of a rule must hold, and no exception may hold. A rule lets
 * requests through without a place. So if something cannot be read with certainty, it does not match.
 */
import * as z from 'zod'
import { isPlainValue } from '../../core/query.ts'
import { oneOf, textLike, textThat } from '../messages.ts'
import { method, pathPattern } from '../patterns.ts'
import { isCidr } from './addresses.ts'

/** Products that many sites use. The rules for them are in `presets.ts`. */
export const PRESETS = ['wordpress', 'woocommerce', 'magento', 'pretix', 'shopify-headless'] as const
export type Preset = (typeof PRESETS)[number]

const EXCEPTIONS_MAX = 20

const token = (what: string) => textLike(/^[!#$%&'*+\-.^`|~\w]+$/, what)
const always = () => z.literal(true, { error: 'must be true where it is given' })
const plainValue = () => textThat(isPlainValue, 'letters, digits, spaces and - . _ ~ / : @ , without percent-encoding')

const parameter = z
  .strictObject({
    name: textLike(/^[\w-]{1,100}$/, 'the name of a parameter: letters, digits, - and _'),
    value: plainValue().optional(),
    prefix: plainValue().optional(),
  })
  .refine(({ value, prefix }) => value === undefined || prefix === undefined, {
    error: 'must have a value or a prefix, not both',
  })

const conditions = {
  path: pathPattern().optional(),
  methods: z.array(method()).min(1).optional(),
  query: parameter.optional(),
  header: z.strictObject({ name: token('a header name'), value: z.string().optional() }).optional(),
  cookie: z.strictObject({ name: token('a cookie name'), value: z.string().optional() }).optional(),
  user_agent: z
    .strictObject({ contains: textLike(/^[\x20-\x7e]{3,200}$/, '3 to 200 printable ASCII characters') })
    .optional(),
  cidr: z.array(textThat(isCidr, 'an address range like 192.0.2.0/24 or 2001:db8::/32')).min(1).optional(),
  country: z
    .array(textLike(/^([A-Z]{2}|T1)$/, 'an ISO 3166 country code in capitals'))
    .min(1)
    .optional(),
}

const exception = z
  .strictObject({ ...conditions, cookie: z.strictObject({ name: token('a cookie name') }).optional() })
  .refine(one => Object.keys(one).length > 0, { error: 'must have at least one condition' })

/** Conditions that only make a rule narrower. Alone they are not enough, because nearly every request meets them. */
const NARROWING = ['not', 'without_query']

export const bypassRule = z
  .strictObject({
    preset: oneOf(...PRESETS).optional(),
    ...conditions,
    without_query: always().optional(),
    verified_crawler: always().optional(),
    verified_bot: z
      .array(textLike(/^[a-z][a-z &-]{1,62}$/i, 'a category of verified bots'))
      .min(1)
      .optional(),
    not: z.array(exception).min(1).max(EXCEPTIONS_MAX).optional(),
  })
  .refine(rule => Object.keys(rule).some(name => !NARROWING.includes(name)), {
    error: 'must have at least one condition: an empty rule would let every visitor in',
  })
  .refine(rule => rule.preset === undefined || Object.keys(rule).length === 1, {
    error: 'must have no other setting beside preset: write separate rules for further conditions',
  })
  .refine(rule => rule.query === undefined || rule.path !== undefined, {
    error: 'must have a path beside query: any visitor can add a parameter to any address',
  })

export type BypassRule = z.output<typeof bypassRule>
export type Exception = z.output<typeof exception>
