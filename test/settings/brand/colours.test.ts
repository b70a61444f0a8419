import { describe, expect, it } from 'vitest'
import { contrast, paletteOf, type Scheme } from '../../../src/settings/brand/colours.ts'

const SCHEMES: readonly Scheme[] = ['light', 'dark']
const COLOURS = ['#000', '#fff', '#fffaf0', '#ffd400', '#e30613', '#0b3d2e', '#ff69b4', '#808080', '#003a70', '#f5f5f5']

describe('contrast', () => {
  it('is that of WCAG 2.2', () => {
    expect(contrast('#000', '#fff')).toBeCloseTo(21)
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
    expect(contrast('#2c6e60', '#2C6E60')).toBe(1)
  })
})

describe('the colours of a page', () => {
  it('are the given ones where their contrast is enough', () => {
    const palette = paletteOf({ background: '#fffaf0', accent: '#b3261e' }, 'light')
    expect(palette).toMatchObject({ paper: '#fffaf0', accent: '#b3261e', ink: '#1f2528', onAccent: '#ffffff' })
  })

  it('have an accent mixed with the text where it is too weak', () => {
    expect(contrast('#ffe066', '#f8f7f3')).toBeLessThan(1.3)
    const { accent } = paletteOf({ background: null, accent: '#ffe066' }, 'light')
    expect(contrast(accent, '#f8f7f3')).toBeGreaterThanOrEqual(3)
    expect(contrast(accent, '#f8f7f3')).toBeLessThan(4)
  })

  it.each(SCHEMES)('can be read whatever the accent is (%s)', scheme => {
    for (const colour of COLOURS) {
      const { paper, ink, soft, accent, onAccent } = paletteOf({ background: null, accent: colour }, scheme)
      expect(contrast(ink, paper), colour).toBeGreaterThanOrEqual(7)
      expect(contrast(soft, paper), colour).toBeGreaterThanOrEqual(4.5)
      expect(contrast(accent, paper), colour).toBeGreaterThanOrEqual(3)
      expect(contrast(onAccent, accent), colour).toBeGreaterThanOrEqual(4.5)
    }
  })

  it('have dark text on a light background in the dark scheme, too', () => {
    expect(paletteOf({ background: '#fff', accent: null }, 'dark').ink).toBe('#1f2528')
  })
})
