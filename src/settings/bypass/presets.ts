/**
 * Bypass rules for products that many sites use: their webhooks, their scheduled calls, and the files that search
 * engines ask for. Each rule is for a path where the product itself checks the request, by a signature, a token or a
 * lock. No rule relies on a cookie, because every visitor can send one. `check-config` shows the rules of a preset.
 *
 * WordPress obeys some parameters at any path: `rest_route` leads to its whole API, and `add-to-cart` fills a cart. So
 * the rules for WordPress have exceptions. WordPress also obeys fields of a form, and no rule can see these.
 */
import { own } from '../../core/own.ts'
import type { BypassRule, Exception, Preset } from './rule.ts'

/** Webhooks are always sent by POST. A browser that comes back by GET has a session already. */
const webhook = (path: string, ...not: readonly Exception[]): BypassRule => ({
  path,
  methods: ['POST'],
  ...(not.length > 0 ? { not: [...not] } : {}),
})
/** A file that a program fetches, without a query. */
const file = (path: string): BypassRule => ({ path, methods: ['GET', 'HEAD'], without_query: true })

/**
 * The scheduled jobs of WordPress. The site itself and crontabs call this path, and its own lock allows one run a
 * minute.
 */
const WP_CRON: BypassRule = { path: '/wp-cron.php', methods: ['GET', 'POST'] }
/** The sitemaps of WordPress itself and of plugins. */
const WP_SITEMAPS = [file('/wp-sitemap([\\w\\-]*).xml'), file('/([\\w\\-]+)-sitemap(\\d*).xml')]

const CART: Exception = { query: { name: 'add-to-cart' } }
const ROUTE: Exception = { query: { name: 'rest_route' } }
/** The types of content in which PHP reads fields. A webhook in JSON has neither of them. */
const FORMS: readonly Exception[] = ['application/x-www-form-urlencoded', 'multipart/form-data'].map(value => ({
  header: { name: 'Content-Type', value },
}))
/** Payment plugins take callbacks by a parameter. By convention its value begins like the name of a class. */
const WC_API = ['wc_', 'WC_', 'mollie_wc_gateway_'].map(
  (prefix): BypassRule => ({ ...webhook('/', CART), query: { name: 'wc-api', prefix } }),
)

const EXPANDED: Readonly<Record<Preset, readonly BypassRule[]>> = {
  wordpress: [WP_CRON, ...WP_SITEMAPS],
  woocommerce: [
    { ...WP_CRON, not: [CART] },
    ...WP_SITEMAPS,
    ...WC_API,
    webhook('/wc-api/*', CART, ROUTE, { query: { name: 'wc-api' } }),
    webhook('/wp-json/wc/v3/payments/webhook', CART, ROUTE, ...FORMS),
    webhook('/wp-json/paypal/v1/incoming', CART, ROUTE, ...FORMS),
    // The webhooks of Mollie are forms, so the rule must not exclude forms.
    webhook('/wp-json/mollie/v1/webhook', CART, ROUTE),
  ],
  magento: [
    webhook('/paypal/ipn{/}?'),
    webhook('/stripe/webhooks{/}?'),
    webhook('/adyen/webhook{/}?'),
    webhook('/adyen/process/json{/}?'),
    webhook('/mollie/checkout/webhook{/}?'),
  ],
  pretix: [
    webhook('/_stripe/webhook/'),
    webhook('/_paypal/webhook/'),
    // The hosts for one event, for one organizer, and for the whole installation.
    webhook('/stripe/webhook/'),
    webhook('/:event/stripe/webhook/'),
    webhook('/:organizer/:event/stripe/webhook/'),
    // Devices at the entrance of an event, and other programs. The API itself refuses a wrong token.
    { path: '/api/v1/*', header: { name: 'Authorization' } },
  ],
  'shopify-headless': ['/webhooks', '/webhooks/*', '/api/webhooks', '/api/webhooks/*', '/api/revalidate'].map(path => ({
    ...webhook(path),
    header: { name: 'X-Shopify-Hmac-Sha256' },
  })),
}

/**
 * Returns the rules for which a rule stands. Those of a preset apply to a site below each of the paths. If a newer room
 * sends a preset that this edge does not know, the rule lets nothing through.
 */
export function expandedRule(rule: BypassRule, below: readonly string[]): readonly BypassRule[] {
  const { preset } = rule
  if (preset === undefined) return [rule]
  const rules = own<readonly BypassRule[]>(EXPANDED, preset) ?? []
  return below.flatMap(path => rules.map(one => ({ ...one, path: `${asPattern(path)}${one.path}` })))
}

/** Returns a path as the beginning of a pattern. */
function asPattern(path: string): string {
  return path === '/' ? '' : path.replaceAll(/[:(){}+?*\\]/g, '\\$&')
}
