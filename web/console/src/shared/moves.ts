import type { Option, Tone } from '@/app/resource'

/** What somebody can do now: what it is called, what follows, what it asks for. `key` identifies the intent across repetitions. */
export interface Move {
  title: string
  tone?: Tone
  effect?: string
  ask?: { title: string; required?: boolean; max?: number }
  choices?: Option[]
  amount?: { title: string; now: number }
  run: (given: { text: string; choice: string; amount: number; key: string }) => Promise<unknown>
}

/** One step of the past, as StateTimeline shows it. */
export interface Step { at: string; title: string; by?: string; text?: string; tone?: Tone }
