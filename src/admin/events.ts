/** The events of a room for operators: current and coming events, and their draws. */
import type { PublicDraw } from '../core/protocol/calls.ts'
import { timesOf } from '../settings/events.ts'
import { overridable } from '../settings/overridable.ts'
import type { RoomConfig } from '../settings/schema.ts'

type EventState = 'upcoming' | 'prequeueing' | 'active' | 'over'

/** The settings that an event may override, except its page, which is too long to list. */
type OfEvent = Exclude<keyof typeof overridable, 'custom_page_html'>
const OF_EVENT = (Object.keys(overridable) as (keyof typeof overridable)[]).filter(
  (key): key is OfEvent => key !== 'custom_page_html',
)

/** Returns the events, soonest first. */
export function eventsOf({ events }: RoomConfig, draws: readonly PublicDraw[], nowMs: number) {
  return events
    .map(event => {
      const [prequeueMs, startMs, endMs] = timesOf(event)
      const draw = event.shuffle_at_event_start ? draws.find(other => other.event === event.name) : undefined
      return {
        name: event.name,
        state: event.suspended ? 'suspended' : stateOf([prequeueMs ?? startMs, startMs, endMs], nowMs),
        prequeueAt: prequeueMs === null ? null : new Date(prequeueMs).toISOString(),
        startsAt: new Date(startMs).toISOString(),
        endsAt: new Date(endMs).toISOString(),
        instead: insteadOf(event),
        draw: draw ? { commitment: `sha256:${draw.commitment}`, seed: draw.seed, entries: draw.entries } : null,
      }
    })
    .sort((a, b) => Date.parse(a.startsAt) - Date.parse(b.startsAt))
}

/** Returns the settings that the event overrides while it is on. Its message applies even before its start. */
function insteadOf(event: RoomConfig['events'][number]): Partial<Record<OfEvent, string | number | boolean>> {
  const set = OF_EVENT.flatMap(key => (event[key] === null ? [] : [[key, event[key]] as const]))
  return Object.fromEntries(set)
}

function stateOf([beginMs, startMs, endMs]: readonly [number, number, number], nowMs: number): EventState {
  if (nowMs >= endMs) return 'over'
  if (nowMs >= startMs) return 'active'
  return nowMs >= beginMs ? 'prequeueing' : 'upcoming'
}
