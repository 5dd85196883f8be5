import type { Option } from '@/app/resource'

/** One field of a form: what it is called, how it is typed, what it must be. The server's answer has the last word. */
export interface Field {
  key: string
  title: string
  kind?: 'text' | 'area' | 'number' | 'money' | 'select' | 'region' | 'date' | 'datetime' | 'password' | 'picture'
  options?: Option[]
  required?: boolean
  max?: number
  hint?: string
  /** What is short stands beside its neighbour, the rest has a line for itself, unless said. */
  line?: 'half' | 'whole'
  /** Of an area. */
  rows?: number
  /** Of a region: only those of this level. */
  level?: string
}
export type Values = Record<string, unknown>

export function missing(fields: Field[], values: Values): Record<string, string> {
  const out: Record<string, string> = {}
  for (const f of fields) {
    const v = values[f.key]
    if (f.kind === 'money' && v === null) out[f.key] = '请填写金额，如 12.50'
    else if (f.required && (v === undefined || v === null || String(v).trim() === '')) out[f.key] = `请填写${f.title}`
  }
  return out
}

// Drafts outlive a reload and a new login of the same person; they end with the tab.
type Drafts = Record<string, Values>
const read = () => JSON.parse(sessionStorage.getItem('jmk.drafts') ?? '{}') as Drafts
export const draftOf = (name: string): Values | undefined => read()[name]
export function keepDraft(name: string, values: Values | undefined): void {
  sessionStorage.setItem('jmk.drafts', JSON.stringify({ ...read(), [name]: values }))
}
