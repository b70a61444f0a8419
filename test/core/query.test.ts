import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mayHave, rawQueryOf, surelyHas } from '../../src/core/query.ts'

const CALLBACK = { name: 'wc-api', prefix: 'wc_' }
const ONE = { name: 'wc-api', value: 'wc_stripe' }
const ANY = { name: 'wc-api' }

describe('a query', () => {
  it.each([
    ['https://shop.example/', null],
    ['https://shop.example/?', ''],
    ['https://shop.example/a?b=c?d', 'b=c?d'],
  ])('of %s is %j', (url, query) => {
    expect(rawQueryOf(url)).toBe(query)
  })
})

describe('a parameter that every server reads alike', () => {
  it.each([
    ['wc-api=wc_stripe', true],
    ['order=5&wc-api=wc_stripe&key=a%2Bb', true],
    ['wc-api=wc%5Fstripe', true],
    ['', false],
    ['wc-api', false],
    ['wc-api=', false],
    ['wc-api=0', false],
    ['wc-api=%21wc_stripe', false],
    ['wc-api=wc_stripe&wc-api=0', false],
    ['wc-api=0&wc-api=wc_stripe', false],
    ['wc-api=wc_stripe&WC-API=0', false],
    ['wc-api=wc_stripe&wc-api[]=0', false],
    ['wc-api=wc_stripe&wc-api%5B%5D=0', false],
    ['wc-api=wc_stripe&+wc-api=0', false],
    ['wc-api=wc_stripe&%2577c-api=0', false],
    ['wc-api=wc_stripe;wc-api=0', false],
    ['x=;&wc-api=wc_stripe', false],
    ['wc-api=wc_stripe#', false],
    ['wc%2Dapi=wc_stripe', false],
    ['wc-api=wc_stripe+', false],
    ['wc-api=wc_stripe%26p%3D5', false],
    ['wc-api=wc_stripe%2526p', false],
    ['wc-api=wc_stripe%00', false],
    ['wc-api=wc_/../x', false],
    ['wc-api=wc_stripe&x=%E9', false],
    ['wc-api=wc_stripe&x=%', false],
    [`${'a&'.repeat(100)}wc-api=wc_stripe`, false],
    [`wc-api=wc_stripe&x=${'a'.repeat(9_000)}`, false],
  ])('with a prefix, in %j: %j', (query, has) => {
    expect(surelyHas(query, CALLBACK)).toBe(has)
  })

  it('has exactly the value that is asked for', () => {
    expect(surelyHas('wc-api=wc_stripe', ONE)).toBe(true)
    for (const other of ['wc_stripe2', 'WC_Stripe', 'wc_stripe%20', '']) {
      expect(surelyHas(`wc-api=${other}`, ONE)).toBe(false)
    }
  })

  it('may have any value but an empty one when only its name is asked for', () => {
    expect(surelyHas('wc-api=%C3%A9+%2F..', ANY)).toBe(true)
    for (const query of ['wc-api', 'wc-api=', 'wc-api=a&wc-api=b', null]) expect(surelyHas(query, ANY)).toBe(false)
  })

  it('is the one that the parser of browsers finds, and the only one of its name', () => {
    const piece = fc.constantFrom(
      'wc-api',
      'WC-API',
      'wc_',
      'stripe',
      '=',
      '&',
      ';',
      '%',
      '%5B',
      '[',
      ']',
      '+',
      '%2d',
      'x',
      'wc-api=wc_stripe',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
        const query = pieces.join('')
        if (!surelyHas(query, CALLBACK)) return
        const found = [...new URLSearchParams(query)].filter(([name]) => /^wc-api(\[|$)/i.test(name.trim()))
        expect(found, query).toEqual([['wc-api', expect.stringMatching(/^wc_/)]])
        expect(mayHave(query, CALLBACK), query).toBe(true)
      }),
      { numRuns: 20_000 },
    )
  })
})

describe('a parameter that any server might read', () => {
  it.each([
    ['add-to-cart=5', true],
    ['x=1&add-to-cart=5', true],
    ['x=1;add-to-cart=5', true],
    ['x#&add-to-cart=5', true],
    ['ADD-TO-CART=5', true],
    ['add-to-cart[]=5', true],
    ['add-to-cart%5B0%5D=5', true],
    ['+add-to-cart=5', true],
    ['%61dd-to-cart=5', true],
    ['%2561dd-to-cart=5', true],
    ['add-to-cart', true],
    ['x=%E9', true],
    ['x=%00', true],
    ['x=%25252525', true],
    ['', false],
    ['x=add-to-cart', false],
    ['add-to-carts=5', false],
    ['x=%C3%A9', false],
  ])('is in %j: %j', (query, has) => {
    expect(mayHave(query, { name: 'add-to-cart' })).toBe(has)
  })

  it('counts with its value in any spelling, and inside of a list', () => {
    const leave = { name: 'do', value: 'log out' }
    for (const value of ['log+out', 'LOG%20out', 'log%2520out', ' log out ']) {
      expect(mayHave(`do=${value}`, leave), value).toBe(true)
    }
    expect(mayHave('do=list&do=log+out', leave)).toBe(true)
    expect(mayHave('do[]=list', leave)).toBe(true)
    expect(mayHave('do=list', leave)).toBe(false)
    expect(mayHave('do=log+outs', { name: 'do', prefix: 'log' })).toBe(true)
    expect(mayHave('do=blog', { name: 'do', prefix: 'log' })).toBe(false)
  })

  it('that PHP spells with an underscore counts, too', () => {
    for (const query of ['my.key=1', 'my%20key=1', 'my[key=1', 'my_key=1']) {
      expect(mayHave(query, { name: 'my_key' }), query).toBe(true)
    }
  })
})
