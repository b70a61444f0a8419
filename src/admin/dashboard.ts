/** The dashboard's files. They hold no secret and no data: everything is fetched with the operator's token. */
import css from '../../static/admin.css'
import html from '../../static/admin.html'
import script from '../../static/admin.js'

const FILES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  '': ['text/html; charset=utf-8', html],
  'admin.css': ['text/css; charset=utf-8', css],
  'admin.js': ['text/javascript; charset=utf-8', script],
}

const SECURITY = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-cache',
}

export function dashboardFile(name: string): Response | null {
  const file = Object.hasOwn(FILES, name) ? FILES[name] : undefined
  return file ? new Response(file[1], { headers: { 'Content-Type': file[0], ...SECURITY } }) : null
}
