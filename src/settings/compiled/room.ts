/** A room's settings in the form that decisions use: milliseconds, compiled patterns, and only valid values. */
import type { ScheduledEvent } from '../../core/events/schedule.ts'
import type { Quota } from '../../core/gcra.ts'
import type { Readings } from '../../core/path.ts'
import type { StepRules } from '../../core/place/outsider.ts'
import type { RoomRules } from '../../core/room/room.ts'
import type { SessionRules } from '../../core/session.ts'
import { MINUTE_MS } from '../../core/timing.ts'
import { WELL_KNOWN_RULES } from '../bypass/well-known.ts'
import { type EventConfig, type Phase, phasesOf, scheduled } from '../events.ts'
import { pathRule } from '../patterns.ts'
import { compileAnonymous, compilePolicies, type Policy, quotasOf } from '../rate-limits.ts'
import { sitesOf } from '../rooms.ts'
import type { RoomConfig } from '../schema.ts'
import { type Bypass, compileBypass } from './bypass.ts'
import { doorRangeOf } from './doors.ts'
import { compileHealth, type HealthSettings } from './health.ts'

const WELL_KNOWN = compileBypass(WELL_KNOWN_RULES, [])

/** The settings that an event may change, as they are at one moment. */
interface Rules {
  readonly config: RoomConfig
  readonly session: SessionRules
  readonly admission: RoomRules
  /** The rules for visitors without a pass. */
  readonly step: StepRules
  /** The event that is on, or whose prequeue has begun. Null if there is none. */
  readonly event: EventInForce | null
}

export interface EventInForce extends ScheduledEvent {
  readonly isPrequeue: boolean
}

/** The settings without an event. `at` returns the settings in force at a moment. */
export interface RoomSettings extends Rules {
  readonly claimWindowMs: number
  /** True if the room reads invitations. In any other room `?invite=` is a parameter of the site. */
  readonly readsInvitations: boolean
  readonly protectedMs: number
  readonly originTimeoutMs: number
  readonly bypass: readonly Bypass[]
  /** Rules for well-known files. A limit for each network applies to them. */
  readonly wellKnown: readonly Bypass[]
  readonly health: HealthSettings
  /** Every event that is not suspended, soonest first. */
  readonly events: readonly ScheduledEvent[]
  /** The policies in force for admitted sessions. A suspended room has none. */
  readonly policies: readonly Policy[]
  /**
   * The quotas of all policies in the list, by name. Policies that are off are included: an edge with older or
   * newer settings may have them on, and a door must lend to it.
   */
  readonly quotas: ReadonlyMap<string, Quota>
  /** The quota of tickets for a network, at one isolate. Null means no limit. */
  readonly anonymous: Quota | null
  /**
   * Returns whether any reading of the path is one of `protected_paths`. An unreadable path is not protected, because
   * no visitor pays there.
   */
  isProtected(readings: Readings): boolean
  /** Returns the settings in force at a moment. If no events are scheduled, this object is returned. */
  at(nowMs: number): RoomSettings
  /** Returns the moments after `fromMs`, up to and including `untilMs`, at which the settings in force change. */
  turnsBetween(fromMs: number, untilMs: number): readonly number[]
}

export function compile(config: RoomConfig): RoomSettings {
  const phases = phasesOf(config.events)
  const inForce = new Map<Phase, RoomSettings>()
  const ignoreCase = config.case_insensitive_paths
  const protectedPaths = pathRule(config.protected_paths, { ignoreCase })
  const settings: RoomSettings = {
    ...rulesOf(config, null),
    claimWindowMs: config.claim_window * MINUTE_MS,
    readsInvitations: config.invite_only || config.lanes.length > 0,
    protectedMs: config.protected_duration * MINUTE_MS,
    originTimeoutMs: config.origin_timeout * 1_000,
    bypass: compileBypass(config.bypass, sitesOf(config)),
    wellKnown: config.well_known === 'queue' ? [] : WELL_KNOWN,
    policies: config.suspended
      ? []
      : compilePolicies(config.rate_limits, { observe: config.mode === 'observe', ignoreCase }),
    quotas: quotasOf(config.rate_limits),
    anonymous: compileAnonymous(config.anonymous),
    events: scheduled(config.events),
    health: compileHealth(config),
    isProtected: readings => !readings.unreadable && protectedPaths.matches(readings),
    at: nowMs => (phases.length === 1 ? settings : settingsOf(phaseAt(nowMs))),
    turnsBetween: (fromMs, untilMs) => phases.map(phase => phase.fromMs).filter(ms => ms > fromMs && ms <= untilMs),
  }
  let latest = phases[0] as Phase
  const phaseAt = (nowMs: number) => {
    const isSame = nowMs >= latest.fromMs && nowMs < latest.untilMs
    if (!isSame) latest = phases.find(({ untilMs }) => nowMs < untilMs) ?? latest
    return latest
  }
  const settingsOf = (phase: Phase) => {
    const known = inForce.get(phase)
    if (known) return known
    const made = { ...settings, ...rulesOf(config, phase) }
    inForce.set(phase, made)
    return made
  }
  return settings
}

function rulesOf(own: RoomConfig, phase: Phase | null): Rules {
  const config = phase?.event ? overridden(own, phase.event, phase.isPrequeue) : own
  const waitsForStart = phase?.isPrequeue ?? false
  const newcomers = waitsForStart ? 'wait' : newcomersOf(config)
  const claimWindowMs = config.claim_window * MINUTE_MS
  const missedGraceMs = config.missed_grace * MINUTE_MS
  const isDrawn = config.queueing_method === 'random' && !waitsForStart
  return {
    config,
    session: {
      sessionMs: config.session_duration * MINUTE_MS,
      renewal: !config.disable_session_renewal,
      sessionMaxMs: config.max_session_duration === null ? null : config.max_session_duration * MINUTE_MS,
      reentryGraceMs: config.reentry_grace * MINUTE_MS,
      // An excused ticket has a second window, which begins within the grace after the first window.
      claimWindowMs: missedGraceMs > 0 ? 2 * claimWindowMs + missedGraceMs : claimWindowMs,
    },
    admission: {
      ratePerMinute: config.queue_all ? 0 : config.new_users_per_minute,
      totalActiveUsers: config.total_active_users,
      // For a visitor who has not learnt of the call, the call lapses only after the grace.
      claimWindowMs: claimWindowMs + missedGraceMs,
      shuffleMs: isDrawn ? Math.round(config.shuffle_window * MINUTE_MS) : null,
      rejects: newcomers === 'are rejected',
      event: phase?.next ?? null,
      remaining: config.remaining,
      lanes: config.lanes,
      doors: doorRangeOf(own),
    },
    step: {
      claimWindowMs,
      missedGraceMs,
      newcomers,
      inviteOnly: config.invite_only,
      lanes: config.lanes,
      whenSoldOut: config.when_sold_out,
      onRoomFailure: config.on_room_failure,
      ratePerMinute: config.queue_all || waitsForStart ? 0 : config.new_users_per_minute,
      challenge: config.challenge,
    },
    event: phase?.event && phase.next ? { ...phase.next, isPrequeue: phase.isPrequeue } : null,
  }
}

/**
 * Returns the settings during an event. Before its start an event changes only the message and the page, because the
 * visitors already in line are served as before.
 */
function overridden(config: RoomConfig, event: EventConfig, isPrequeue: boolean): RoomConfig {
  const shown = {
    ...config,
    message: event.message ?? config.message,
    custom_page_html: event.custom_page_html ?? config.custom_page_html,
  }
  if (isPrequeue) return shown
  return {
    ...shown,
    total_active_users: event.total_active_users ?? config.total_active_users,
    new_users_per_minute: event.new_users_per_minute ?? config.new_users_per_minute,
    session_duration: event.session_duration ?? config.session_duration,
    disable_session_renewal: event.disable_session_renewal ?? config.disable_session_renewal,
    queueing_method: event.queueing_method ?? config.queueing_method,
  }
}

function newcomersOf({ queueing_method, queue_all }: RoomConfig): StepRules['newcomers'] {
  if (queue_all) return 'wait'
  switch (queueing_method) {
    case 'passthrough':
      return 'pass through'
    case 'reject':
      return 'are rejected'
    case 'fifo':
    case 'random':
      return 'wait'
  }
}
