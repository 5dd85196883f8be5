export interface Block {
  kind: 'heading' | 'item' | 'text'
  text: string
}

/** The body of an article as blocks of plain text: the little Markdown that editors use, never HTML. */
export function blocksOf(body: string): Block[] {
  const out: Block[] = []
  let open = false // the line continues the paragraph before it
  for (const raw of body.split(/\r?\n/)) {
    const line = raw.trim()
    if (line === '') {
      open = false
      continue
    }
    const heading = /^#{1,6}\s+(.*)$/.exec(line)
    const item = /^(?:[-*+]|\d+[.、])\s+(.*)$/.exec(line)
    if (heading) out.push({ kind: 'heading', text: plain(heading[1]!) })
    else if (item) out.push({ kind: 'item', text: plain(item[1]!) })
    else if (open) out.at(-1)!.text += plain(line)
    else out.push({ kind: 'text', text: plain(line) })
    open = !heading && !item
  }
  return out
}

/** Emphasis and links as the words they stand on. */
const plain = (text: string) => text.replace(/(\*\*|__)(.+?)\1/g, '$2').replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
