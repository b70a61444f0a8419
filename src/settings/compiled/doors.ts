/** How many doors a room may have in each region. */
import type { DoorRange } from '../../core/room/doors.ts'
import type { RoomConfig } from '../schema.ts'

const DOORS_MAX = 100
/**
 * The most doors that a room has from the start. A very high rate often only means "no limit". Further doors are added
 * when they are needed.
 */
const LEAST_MAX = 10
/** A door admits this many visitors a minute, each with a few calls, within its target. */
const ADMISSIONS_PER_DOOR = 6_000
/** This many sessions keep a door busy, if all of them are at one door. */
const SESSIONS_PER_DOOR = 10_000

/**
 * Returns the least and the most doors. With `doors = "auto"` the room measures its load and chooses a number between
 * them.
 */
export function doorRangeOf(config: RoomConfig): DoorRange {
  if (config.doors !== 'auto') return { least: config.doors, most: config.doors }
  return { least: leastDoors(config), most: DOORS_MAX }
}

/** Returns how many doors the rates and the places of a room and its events need, before anything is measured. */
export function leastDoors(room: RoomConfig): number {
  const needed = [room, ...room.events].map(own => {
    const rate = own.new_users_per_minute ?? room.new_users_per_minute
    const places = own.total_active_users ?? room.total_active_users
    const minutes = own.session_duration ?? room.session_duration
    const sessions = Math.min(places, rate * minutes * 1.25)
    // A room with few places admits few visitors a minute, whatever its rate is.
    return Math.max(Math.min(rate, places) / ADMISSIONS_PER_DOOR, sessions / SESSIONS_PER_DOOR)
  })
  return Math.min(LEAST_MAX, Math.max(1, ...needed.map(Math.ceil)))
}
