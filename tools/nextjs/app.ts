/**
 * A small app of Next.js, by the paths of its files: a page with links, one with a form and data of its own, and one
 * that waits by the recipe for React.
 */
import { readFileSync } from 'node:fs'

const recipe = (name: string) =>
  readFileSync(new URL(`../../docs/snippets/single-page-app/${name}`, import.meta.url), 'utf8')

/** Returns the files. `room` names the room whose script for sites the app includes, null for no script. */
export function appFiles(room: string | null): Readonly<Record<string, string>> {
  const script =
    room === null ? '' : `<Script src="/.waiting-room/client.js?room=${room}" strategy="beforeInteractive" />`
  return {
    'package.json': JSON.stringify({ name: 'app', private: true }),
    'app/layout.js': `import Script from 'next/script'
export const metadata = { title: 'App' }
export default function Layout({ children }) {
  return <html lang="en"><head>${script}</head><body>{children}</body></html>
}
void Script
`,
    'app/page.js': `import Link from 'next/link'
export default function Page() {
  return <main><h1>Home</h1><Link href="/cart" prefetch={false}>Cart</Link></main>
}
`,
    'app/cart/page.js': `'use client'
import { useState } from 'react'
export default function Cart() {
  const [note, setNote] = useState('')
  const [data, setData] = useState('')
  const [sent, setSent] = useState('')
  const load = async () => setData(await (await fetch('/api/data')).text())
  const send = async () => setSent(String((await fetch('/api/data', { method: 'POST', body: note })).status))
  return <main><h1>Cart</h1>
    <textarea aria-label="Note" value={note} onChange={event => setNote(event.target.value)} />
    <button onClick={load}>Load</button><output id="data">{data}</output>
    <button onClick={send}>Send</button><output id="sent">{sent}</output>
  </main>
}
`,
    'app/own/room.js': recipe('room.js'),
    'app/own/react.js': recipe('react.js'),
    'app/own/page.js': `'use client'
import { useState } from 'react'
import { appFetch, usePlace } from './react.js'
export default function Own() {
  const place = usePlace()
  const [data, setData] = useState('')
  const load = async () => setData(await (await appFetch('/api/data')).text())
  return <main><h1>Own</h1>
    <button onClick={load}>Load</button><output>{data}</output>
    {place && <p role="status">You are in line</p>}
  </main>
}
`,
    'app/api/data/route.js': `export const dynamic = 'force-dynamic'
export async function GET() { return Response.json({ items: 7 }) }
export async function POST(request) { return Response.json({ got: await request.text() }) }
`,
  }
}
