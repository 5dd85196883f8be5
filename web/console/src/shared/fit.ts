/** How wide a column would be, and how narrow it may become. */
export interface Width {
  wide: number
  narrow: number
}

const padding = 24
const letter = 8.8

/** What cannot be broken in texts is what is not Chinese and has no space: a date, a number, an id. */
export function narrowest(texts: string[]): number {
  const longest = Math.max(0, ...texts.flatMap((t) => t.split(/[\s\u2e80-\uffef]+/).map((run) => run.length)))
  return Math.max(64, Math.ceil(longest * letter) + padding)
}

/** The widths of columns in so much room: null where all have theirs; else each gives of what it can spare. */
export function fit(columns: Width[], room: number): number[] | null {
  const sum = (of: (c: Width) => number) => columns.reduce((n, c) => n + of(c), 0)
  const least = (c: Width) => Math.min(c.wide, c.narrow)
  const over = sum((c) => c.wide) - room
  if (room <= 0 || over <= 0) return null
  const part = Math.min(1, over / sum((c) => c.wide - least(c)))
  return columns.map((c) => Math.floor(c.wide - (c.wide - least(c)) * part))
}
