import type { State } from '@/app/resource'

export const states: Record<string, State> = { draft: { title: '草稿', tone: 'wait' }, published: { title: '已发布', tone: 'good' }, withdrawn: { title: '已撤回', tone: 'idle' } }
export const moveTitles: Record<string, string> = { create: '新建', update: '修改', publish: '发布', withdraw: '撤回' }

export interface Block { kind: 'heading' | 'item' | 'text'; text: string }

/** The body as residents' phones break it up: the little Markdown that editors use, as plain text. */
export function blocksOf(body: string): Block[] {
  const out: Block[] = []
  let open = false // the line continues the paragraph before it
  for (const line of body.split(/\r?\n/).map((l) => l.trim())) {
    const heading = /^#{1,6}\s+(.*)$/.exec(line)
    const item = /^(?:[-*+]|\d+[.、])\s+(.*)$/.exec(line)
    if (heading) out.push({ kind: 'heading', text: plain(heading[1]!) })
    else if (item) out.push({ kind: 'item', text: plain(item[1]!) })
    else if (line && open) out.at(-1)!.text += plain(line)
    else if (line) out.push({ kind: 'text', text: plain(line) })
    open = line !== '' && !heading && !item
  }
  return out
}
const plain = (text: string) => text.replace(/(\*\*|__)(.+?)\1/g, '$2').replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
