import type { Random } from '../../simulation/random.ts'

export function pick<Value>(random: Random, list: readonly Value[]): Value {
  return list[random.below(list.length)] as Value
}
