/** Advice on the challenge of a room. Advice never refuses settings. */
import { hasPlaceBlock } from '../custom-page.ts'
import type { RoomConfig } from '../schema.ts'

/** Returns advice without the name of the room. */
export function adviceOnChallenge({ challenge, custom_page_html }: RoomConfig): string[] {
  const { when, provider, site_key } = challenge
  const advice: string[] = []
  if (provider === 'pow' && site_key !== '')
    advice.push('challenge.site_key is not used: set provider = "turnstile" too')
  if (when === 'off') return advice
  if (provider === 'turnstile') {
    advice.push(
      'challenge.provider = "turnstile" needs the secret TURNSTILE_SECRET: without it browsers get a proof of work instead. Cloudflare learns of each visitor, so name it in your privacy policy',
    )
  }
  if (custom_page_html !== '' && !hasPlaceBlock(custom_page_html)) {
    advice.push(
      'challenge, and custom_page_html has no {{{antesala}}}: no visitor of this page can solve it, and each one counts only after a minute',
    )
  }
  return advice
}
