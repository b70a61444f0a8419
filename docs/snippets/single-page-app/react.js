// The visitor's place in line for React and Next.js. The place is one for the whole app.
'use client'
import { useSyncExternalStore } from 'react'
import { roomFetch } from './room.js'

let place = null
const listeners = new Set()

function show(now) {
  place = now
  for (const listener of listeners) listener()
}

function subscribe(listener) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** A fetch that waits, for components, loaders and libraries that load data. Call it in the browser only. */
export const appFetch = (input, init) => roomFetch(input, init, show)

/** Returns the visitor's place while a request waits, otherwise null. */
export function usePlace() {
  return useSyncExternalStore(
    subscribe,
    () => place,
    () => null,
  )
}
