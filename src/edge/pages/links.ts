/** Links in the texts of an operator: only https and tel, so that no text can run a script. */
import { escaped } from './template.ts'

/** Matches an address, without the punctuation of a sentence behind it. The page's script has the same expression. */
const LINK = /(https:\/\/[^\s<>"']*[^\s<>"'.,:;!?)\]]|tel:\+?[\d-]{3,20})/

/** Returns a text as HTML. A link opens in a new page, because a visitor in line must not leave the waiting page. */
export function withLinks(text: string): string {
  return text
    .split(LINK)
    .map((part, i) => (i % 2 === 0 ? escaped(part) : linkTo(part)))
    .join('')
}

function linkTo(address: string): string {
  const shown = address.replace(/^tel:/, '')
  return `<a href="${escaped(address)}" target="_blank" rel="noopener noreferrer">${escaped(shown)}</a>`
}
