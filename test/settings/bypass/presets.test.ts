import { describe, expect, it } from 'vitest'
import { expandedRule } from '../../../src/settings/bypass/presets.ts'
import { bypassRule, PRESETS, type Preset } from '../../../src/settings/bypass/rule.ts'
import { isBy, letBy } from '../../support/bypassing.ts'

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' }
const JSON_BODY = { 'Content-Type': 'application/json' }
const SIGNED = { ...JSON_BODY, 'X-Shopify-Hmac-Sha256': 'XWmrwMey6OsLMeiZKwP4FppHH3cmAiiJJAweH5Jo4bM=' }

const post = (target: string, headers: Record<string, string> = FORM) => ({ method: 'POST', target, headers })
const get = (target: string, headers: Record<string, string> = {}) => ({ target, headers })

describe('a preset', () => {
  it.each([
    ['wordpress', get('/wp-cron.php')],
    ['wordpress', get('/wp-cron.php?doing_wp_cron')],
    ['wordpress', post('/wp-cron.php?doing_wp_cron=1761820000.1234567890123456789012')],
    ['wordpress', get('/wp-sitemap.xml')],
    ['wordpress', get('/wp-sitemap-posts-post-1.xml')],
    ['wordpress', get('/product-sitemap2.xml')],
    ['woocommerce', get('/wp-cron.php?doing_wp_cron')],
    ['woocommerce', post('/?wc-api=wc_stripe', JSON_BODY)],
    ['woocommerce', post('/?wc-api=WC_Gateway_Redsys')],
    ['woocommerce', post('/?wc-api=mollie_wc_gateway_ideal&order_id=7&key=wc_order_x')],
    ['woocommerce', post('/wc-api/WC_Gateway_Paypal/')],
    ['woocommerce', post('/wp-json/paypal/v1/incoming', JSON_BODY)],
    ['woocommerce', post('/wp-json/wc/v3/payments/webhook', JSON_BODY)],
    ['woocommerce', post('/wp-json/mollie/v1/webhook?mollie_webhook_secret=x')],
    ['magento', post('/paypal/ipn/')],
    ['magento', post('/stripe/webhooks', JSON_BODY)],
    ['magento', post('/adyen/webhook', JSON_BODY)],
    ['magento', post('/mollie/checkout/webhook/?isAjax=1')],
    ['pretix', post('/_stripe/webhook/', JSON_BODY)],
    ['pretix', post('/demo/2027/stripe/webhook/', JSON_BODY)],
    ['pretix', post('/_paypal/webhook/', JSON_BODY)],
    [
      'pretix',
      post('/api/v1/organizers/demo/checkinrpc/redeem/', {
        Authorization: 'Device 1kcsh572fonm3hawalrncam4l1gktr2rzx25a22l8g9hx108o9oi0rztpcvwnfnd',
      }),
    ],
    ['shopify-headless', post('/webhooks/app/uninstalled', SIGNED)],
    ['shopify-headless', post('/api/revalidate?secret=x', SIGNED)],
  ] as const)('of %s lets %j by', (preset, request) => {
    expect(isBy({ preset }, request)).toBe(true)
  })

  it.each([
    ['wordpress', get('/')],
    ['wordpress', get('/wp-login.php')],
    ['wordpress', post('/xmlrpc.php')],
    ['wordpress', post('/wp-admin/admin-ajax.php?action=as_async_request_queue_runner')],
    ['wordpress', get('/wp-cron.php/x')],
    ['wordpress', get('/wp-sitemap.xml?rest_route=/wc/store/v1/cart')],
    ['wordpress', get('/shop/product-sitemap.xml')],
    ['wordpress', post('/?wc-api=wc_stripe', JSON_BODY)],
    ['woocommerce', get('/?wc-api=wc_stripe')],
    ['woocommerce', post('/?wc-api=0')],
    ['woocommerce', post('/?wc-api=wc_x&wc-api=0')],
    ['woocommerce', post('/checkout/?wc-api=wc_stripe')],
    ['woocommerce', post('/?wc-api=wc_stripe&add-to-cart=5')],
    ['woocommerce', get('/wp-cron.php?add-to-cart=5')],
    ['woocommerce', post('/wc-api/x/?wc-api=!!&rest_route=/wc/store/v1/checkout')],
    ['woocommerce', post('/wp-json/paypal/v1/incoming', FORM)],
    ['woocommerce', post('/wp-json/paypal/v1/incoming?rest_route=/wc/store/v1/checkout', JSON_BODY)],
    ['woocommerce', post('/wp-json/wc/store/v1/checkout', JSON_BODY)],
    ['magento', get('/paypal/ipn/')],
    ['magento', post('/rest/V1/guest-carts', JSON_BODY)],
    ['magento', post('/paypal/express/start/')],
    ['pretix', post('/demo/2027/cart/add')],
    ['pretix', get('/api/v1/organizers/')],
    ['shopify-headless', post('/webhooks/app/uninstalled', JSON_BODY)],
    ['shopify-headless', post('/api/cart', SIGNED)],
  ] as const)('of %s holds %j back', (preset, request) => {
    expect(isBy({ preset }, request)).toBe(false)
  })

  it.each(PRESETS)('of %s has rules that a file may contain, with paths and without cookies', preset => {
    const rules = expandedRule({ preset }, ['/'])
    expect(rules.length).toBeGreaterThan(0)
    for (const rule of rules) {
      expect(bypassRule.safeParse(rule).error?.issues).toBeUndefined()
      expect(Object.keys(rule)).toContain('path')
      expect(JSON.stringify(rule)).not.toContain('cookie')
    }
  })

  it('is for the site below each path of the room', () => {
    const by = (target: string) => letBy([{ preset: 'wordpress' }], { target }, ['/blog', '/shop(a+b)'])
    expect(['/blog/wp-cron.php', '/shop(a+b)/wp-cron.php'].map(by)).toEqual([true, true])
    expect(['/wp-cron.php', '/shopab/wp-cron.php', '/blog/wp-cron.php/'].map(by)).toEqual([false, false, false])
  })

  it('that this edge does not know lets nothing by', () => {
    expect(letBy([{ preset: 'joomla' as Preset }], { target: '/' })).toBe(false)
  })
})
