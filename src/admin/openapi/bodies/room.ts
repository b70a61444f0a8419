/** The bodies of answers about a room: its settings, figures and events. */
import * as z from 'zod'
import type { LimitStats, RoomStats } from '../../../core/protocol/calls.ts'
import type { RoomConfig } from '../../../settings/schema.ts'
import type { eventsOf } from '../../events.ts'
import { adviceBody, forecastBody, healthFiguresBody } from './health.ts'
import { countOf, momentOf, ratioOf, textOf } from './parts.ts'

/** A room as operators see it. */
export interface ShownRoom {
  readonly name: string
  readonly version: string
  readonly settings: RoomConfig
  readonly file: RoomConfig
  /** Where the value of each setting is from, by the name of the setting. */
  readonly sources: Readonly<Record<string, 'default' | 'file' | 'live'>>
  readonly figures: RoomStats
  readonly events: ReturnType<typeof eventsOf>
  /** The room's clock, as ISO 8601. */
  readonly now: string
}

const time = (description: string) => z.iso.datetime().meta({ description })
const settings = (description: string) => z.custom<RoomConfig>().meta({ type: 'object', description })

const limit: z.ZodType<LimitStats> = z.strictObject({
  allowed: countOf('Requests that went on'),
  limited: countOf('Requests refused'),
  shadow: countOf('Requests that a policy in shadow mode would have refused'),
  near: countOf('Leases lent with at least 80 % of the burst in use'),
  fallback: countOf('Requests that an isolate decided by itself, because a door did not answer'),
})

const lane = z.strictObject({
  name: z.string(),
  share: ratioOf('Its share of the permits'),
  waiting: countOf('In the line'),
  standing: countOf('Called, and ready for a permit'),
  admitted: countOf('Let in since the room began'),
})

const door = z.strictObject({
  name: z.string(),
  active: countOf('Visitors inside'),
  permitsOut: countOf('Permits that doors have not spent yet'),
  standing: countOf('Called, and ready for a permit'),
  admitted: countOf('Let in'),
  callsPerSecond: z.number(),
  heardMsAgo: z.number().meta({ description: 'Since its last report, in milliseconds' }),
})

export const figuresBody: z.ZodType<RoomStats> = z.strictObject({
  active: countOf('Visitors inside'),
  permitsOut: countOf('Permits that doors have not spent yet'),
  permitsBanked: z.number().meta({ description: 'Permits that could be given at once' }),
  remaining: z.number().nullable().meta({ description: 'The rest of the budget; null without one' }),
  waiting: countOf('Visitors in line'),
  entries: countOf('Visitors who wait for a draw'),
  standing: countOf('Called, and ready for a permit'),
  limits: z.record(z.string(), limit).meta({ description: 'By policy, since the room began' }),
  verdicts: z
    .record(z.string(), z.number())
    .meta({ description: 'Decisions of the gate since the room began, by verdict and reason: `waiting/held`' }),
  answers: z
    .record(z.string(), z.number())
    .meta({ description: "Answers that are not the origin's since the room began, by state and reason" }),
  totals: z.record(z.string(), z.number()).meta({ description: 'Counts since the room began' }),
  admittedLastMinute: countOf('Let in during the last minute'),
  cameLastMinute: countOf('Newcomers of the last minute who came back once, or were let in at once'),
  effectiveRatePerMinute: z.number().meta({ description: 'The rate in force, after events and health' }),
  totalActiveUsers: z.number().meta({ description: 'The places in force, after events and health' }),
  burst: z.number(),
  open: z.boolean().meta({ description: 'Whether visitors come in without waiting' }),
  held: z.boolean().meta({ description: 'Whether no visitor is let in' }),
  sinceMs: momentOf('Since when it is open, held or has a line').nullable(),
  waitMs: z.number().nullable().meta({ description: 'The wait that a newcomer is shown; 0 in an open room' }),
  waitRangeMs: z
    .strictObject({ low: z.number(), high: z.number() })
    .nullable()
    .meta({ description: 'A quarter wait less than `low`, and a quarter more than `high`' }),
  forecast: forecastBody,
  advice: z.array(adviceBody).meta({ description: 'The most urgent first. The other members are its reasons' }),
  showRate: ratioOf('The share of called visitors who come'),
  health: healthFiguresBody,
  lanes: z.array(lane).meta({ description: 'The main lane and those beside it; empty in a room without lanes' }),
  doors: z.array(door),
})

const event: z.ZodType<ReturnType<typeof eventsOf>[number]> = z.strictObject({
  name: z.string(),
  state: z.literal(['suspended', 'upcoming', 'prequeueing', 'active', 'over']),
  prequeueAt: time('The begin of its prequeue').nullable(),
  startsAt: time('Its start'),
  endsAt: time('Its end'),
  instead: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).meta({
    description: "The settings that replace the room's own while it is on; the message also before its start",
  }),
  draw: z
    .strictObject({
      commitment: textOf('sha256: and the hash of the seed'),
      seed: textOf('Ten seconds after the start').nullable(),
      entries: countOf('Visitors who came back while they waited for the start'),
    })
    .nullable()
    .meta({ description: 'Null where places are given by arrival' }),
})

export const roomBody: z.ZodType<ShownRoom> = z.strictObject({
  name: z.string(),
  version: textOf('Changes with each live change and each deployment; also the ETag'),
  settings: settings('In force now'),
  file: settings('As deployed'),
  sources: z.record(z.string(), z.literal(['default', 'file', 'live'])).meta({ description: 'By setting' }),
  figures: figuresBody,
  events: z.array(event).meta({ description: 'Soonest first' }),
  now: time('The clock of the room'),
})

const silent = z.strictObject({ name: z.string(), error: z.string() })

export const roomsBody = z.strictObject({
  you: z.strictObject({
    name: textOf('The name of the token or login'),
    role: z.literal(['viewer', 'operator', 'admin']),
    by: z.literal(['token', 'access']),
    settings: z.unknown().meta({ description: 'The settings that it may change' }),
  }),
  notices: z.array(z.string()).meta({ description: 'Problems of the deployment, in words' }),
  rooms: z.array(z.union([roomBody, silent])).meta({ description: 'One that does not answer has an `error`' }),
})
