import { describe, expect, it } from 'vitest'
import { isBy, letBy } from '../../support/bypassing.ts'

describe('a bypass rule for a query', () => {
  const rule = { path: '/', methods: ['POST'], query: { name: 'wc-api', value: 'wc_stripe' } }

  it('lets the request by that every server reads so', () => {
    expect(isBy(rule, { method: 'POST', target: '/?wc-api=wc_stripe' })).toBe(true)
    expect(isBy(rule, { method: 'POST', target: '/?a=1&wc-api=wc_stripe' })).toBe(true)
  })

  it.each([
    '/?wc-api=wc_other',
    '/?wc-api=wc_stripe&wc-api=x',
    '/?wc-api%5B%5D=wc_stripe',
    '/?x=1;wc-api=wc_stripe',
    '/',
  ])('holds %s back', target => {
    expect(isBy(rule, { method: 'POST', target })).toBe(false)
  })

  it('holds back other paths and methods with the same query', () => {
    expect(isBy(rule, { target: '/?wc-api=wc_stripe' })).toBe(false)
    expect(isBy(rule, { method: 'POST', target: '/cart?wc-api=wc_stripe' })).toBe(false)
  })
})

describe('a bypass rule without a query', () => {
  const rule = { path: '/feed', without_query: true }

  it.each([
    ['/feed', true],
    ['/feed?', true],
    ['/feed?x', false],
    ['/feed?rest_route=/x', false],
  ])('for %s is %j', (target, isLetBy) => {
    expect(isBy(rule, { target })).toBe(isLetBy)
  })
})

describe('a bypass rule for a user agent', () => {
  const rule = { path: '/up', user_agent: { contains: 'UptimeRobot' } }

  it('matches a part of it in any case', () => {
    const by = (agent: string) => isBy(rule, { target: '/up', headers: { 'User-Agent': agent } })
    expect(['Mozilla/5.0+(compatible; uptimerobot/2.0)', 'UptimeRobot'].map(by)).toEqual([true, true])
    expect(by('Uptime Robot')).toBe(false)
  })

  it('does not match a request without one, or with one that does not reach the origin', () => {
    expect(isBy(rule, { target: '/up' })).toBe(false)
    expect(isBy(rule, { target: '/up', headers: { 'User-Agent': 'UptimeRobot', Connection: 'User-Agent' } })).toBe(
      false,
    )
  })
})

describe('a bypass rule for verified bots', () => {
  const letIn = (rule: object) =>
    ['Search Engine Crawler', 'Search engine crawler', 'AI Crawler', 'AI Assistant', 'Page Preview', ''].filter(
      botCategory => isBy(rule, { botCategory }),
    )

  it('of search engines lets nothing else in', () => {
    expect(letIn({ verified_crawler: true })).toEqual(['Search Engine Crawler', 'Search engine crawler'])
    expect(isBy({ verified_crawler: true }, {})).toBe(false)
  })

  it('lets in the categories that it names, in any case', () => {
    expect(letIn({ verified_bot: ['page preview', 'AI ASSISTANT'] })).toEqual(['AI Assistant', 'Page Preview'])
  })

  it('knows a category by both of its spellings', () => {
    const rule = { verified_bot: ['monitoring & analytics'] }
    const by = (botCategory: string) => isBy(rule, { botCategory })
    expect([by('Monitoring & Analytics'), by('Monitoring or analytics'), by('Monitoring')]).toEqual([true, true, false])
  })
})

describe('an exception from a bypass rule', () => {
  const except = (...not: object[]) => ({ path: '/in/*', not })

  it.each([
    ['/in/a', false],
    ['/in/b', true],
    ['/in/A', false],
    ['/in/a/', false],
    ['/in/a.json', false],
    ['/in/%61', false],
    ['/in/a/index.php', false],
  ])('for the path /in/a decides %s: %j', (target, isLetBy) => {
    expect(isBy(except({ path: '/in/a' }), { target })).toBe(isLetBy)
  })

  it('for a parameter counts in every spelling', () => {
    const rule = except({ query: { name: 'add-to-cart' } })
    expect(isBy(rule, { target: '/in/a?x=1' })).toBe(true)
    for (const query of ['add-to-cart=5', 'ADD-TO-CART=5', 'x;add-to-cart=5', 'add-to-cart[]=5', 'x=%E9'])
      expect(isBy(rule, { target: `/in/a?${query}` }), query).toBe(false)
  })

  it('for a header counts when the value is only a part of it, and when the header stays behind', () => {
    const rule = except({ header: { name: 'Content-Type', value: 'multipart/form-data' } })
    const by = (headers: Record<string, string>) => isBy(rule, { target: '/in/a', headers })
    expect([by({}), by({ 'Content-Type': 'application/json' })]).toEqual([true, true])
    expect(by({ 'Content-Type': 'Multipart/Form-Data; boundary=x' })).toBe(false)
    expect(by({ 'Content-Type': 'multipart/form-data', Connection: 'Content-Type' })).toBe(false)
  })

  it('for a cookie counts whatever its value, and when its name cannot be read for certain', () => {
    const rule = except({ cookie: { name: 'basket' } })
    const by = (cookie: string) => isBy(rule, { target: '/in/a', headers: { Cookie: cookie } })
    expect([by('a=b'), by('basket=full'), by('basket=other'), by('b%61sket=full')]).toEqual([true, false, false, false])
  })

  it('for an address or a country counts when these are not known', () => {
    for (const one of [{ cidr: ['192.0.2.0/24'] }, { country: ['IS'] }]) {
      const rule = except(one)
      expect(isBy(rule, { target: '/in/a' })).toBe(false)
      expect(isBy(rule, { target: '/in/a', address: '192.0.2.9', country: 'IS' })).toBe(false)
      expect(isBy(rule, { target: '/in/a', address: '203.0.113.9', country: 'NO' })).toBe(true)
    }
  })

  it('needs all its conditions, and one exception of several is enough', () => {
    const rule = except({ methods: ['POST'], query: { name: 'do' } }, { methods: ['DELETE'] })
    const by = (method: string, target: string) => isBy(rule, { method, target })
    expect([by('POST', '/in/a'), by('GET', '/in/a?do=1')]).toEqual([true, true])
    expect([by('POST', '/in/a?do=1'), by('DELETE', '/in/a')]).toEqual([false, false])
  })
})

describe('a condition that this edge does not know', () => {
  it('never holds in a rule, and always in an exception', () => {
    expect(letBy([{ path: '/' }], { target: '/' })).toBe(true)
    expect(letBy([{ path: '/', moon: 'full' } as object], { target: '/' })).toBe(false)
    expect(letBy([{ path: '/', not: [{ moon: 'full' } as object] }], { target: '/' })).toBe(false)
  })
})

describe('the file', () => {
  const refusal = (rule: object) => {
    try {
      isBy(rule, {})
      return null
    } catch (error) {
      return (error as Error).message
    }
  }

  it.each([
    [{ preset: 'joomla' }, '.preset must be "wordpress" or "woocommerce" or'],
    [{ preset: 'magento', path: '/' }, 'must have no other setting beside preset'],
    [{ query: { name: 'a' } }, 'must have a path beside query: any visitor can add a parameter to any address'],
    [{ path: '/', query: { name: 'a b' } }, '.query.name must be the name of a parameter'],
    [{ path: '/', query: { name: 'a', value: 'b', prefix: 'c' } }, '.query must have a value or a prefix, not both'],
    [{ path: '/', query: { name: 'a', value: 'b&c=d' } }, '.query.value must be letters, digits, spaces'],
    [{ path: '/', user_agent: { contains: '' } }, '.user_agent.contains must be 3 to 200 printable ASCII'],
    [{ without_query: true }, 'must have at least one condition'],
    [{ not: [{ path: '/a' }] }, 'must have at least one condition'],
    [{ path: '/', not: [{}] }, '.not[0] must have at least one condition'],
    [{ path: '/', not: [{ not: [] }] }, '.not[0].not is not a setting'],
    [{ verified_bot: ['GPTBot/1.2'] }, '.verified_bot[0] must be a category of verified bots, got'],
    [{ verified_bot: [] }, '.verified_bot must not be empty'],
    [{ path: '/', not: [{ verified_crawler: true }] }, '.not[0].verified_crawler is not a setting'],
    [{ path: '/', without_query: false }, '.without_query must be true where it is given'],
  ])('with the rule %j is refused: %s', (rule, message) => {
    expect(refusal(rule)).toContain(`rooms[0].bypass[0]`)
    expect(refusal(rule)).toContain(message)
  })
})
