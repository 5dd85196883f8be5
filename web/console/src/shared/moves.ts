import type { Option, Tone } from '@/app/resource'
import type { Field, Values } from './form'

/** What somebody can do now: what it is called, what follows, what it asks for. `key` identifies the intent across repetitions. */
export interface Move {
  title: string
  tone?: Tone
  effect?: string
  ask?: { title: string; required?: boolean; max?: number }
  choices?: Option[]
  /** What is chosen; a person unless said. */
  choiceTitle?: string
  amount?: { title: string; now: number }
  /** More than one thing to fill in. */
  fields?: Field[]
  initial?: Values
  /** What it answers as a string is told to the person. */
  run: (given: { text: string; choice: string; amount: number; values: Values; key: string }) => Promise<unknown>
}

/** The moves that the server allows now, in its order; what else can be done (such as to edit) has a place of its own on the page. */
export const pick = (all: Record<string, Move>, allowed: string[] | null | undefined): Move[] => (allowed ?? []).map((m) => all[m]).filter((m) => m !== undefined)

/** One step of the past, as StateTimeline shows it. */
export interface Step { at: string; title: string; by?: string; text?: string; tone?: Tone }
