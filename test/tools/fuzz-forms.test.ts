import { describe, expect, it } from 'vitest'
import { hostileForm } from '../../tools/fuzz/forms/generate.ts'
import { markupOf, rawTextOf } from '../../tools/fuzz/forms/markup.ts'
import { Random } from '../../tools/simulation/random.ts'

const page = (value: string) =>
  `<style>a{}</style><p class="soft">a</p><input name="f" value="${value}"><script>if (a < b) c()</script>`

describe('the markup of a page', () => {
  it('is the same whatever its values are', () => {
    expect(markupOf(page('&quot;&gt;{{x}}'))).toBe(markupOf(page('')))
    expect(rawTextOf(page('x'))).toBe('<style>a{}</style>\n<script>if (a < b) c()</script>')
  })

  it.each(['"><b>', '" onfocus="x', '"><script>', '"><!-- ', "\"><img src='x'>"])('is another one with %s', value => {
    const whole = (html: string) => markupOf(html) + rawTextOf(html)
    expect(whole(page(value))).not.toBe(whole(page('')))
  })
})

describe('a hostile form', () => {
  it('is the same for the same seed, and has characters with a meaning in HTML', () => {
    const forms = (seed: number) => {
      const random = new Random(seed)
      return Array.from({ length: 50 }, () => hostileForm(random))
    }
    expect(forms(7)).toEqual(forms(7))
    expect(forms(7)).not.toEqual(forms(8))
    expect(forms(7).some(({ body }) => body.includes('</script>'))).toBe(true)
  })
})
