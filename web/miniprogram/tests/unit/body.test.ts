import { describe, expect, it } from 'vitest'
import { blocksOf } from '@/format/body'

describe('blocksOf', () => {
  it('parts paragraphs, headings and items', () => {
    expect(blocksOf('# 通知\n\n第一段\n接着写\n\n- 带身份证\n1. 上午去\n末段')).toEqual([
      { kind: 'heading', text: '通知' },
      { kind: 'text', text: '第一段接着写' },
      { kind: 'item', text: '带身份证' },
      { kind: 'item', text: '上午去' },
      { kind: 'text', text: '末段' },
    ])
  })
  it('shows emphasis and links as their words, and leaves tags as text', () => {
    expect(blocksOf('**重要** 见[公告](https://example.invalid) <b>x</b>')).toEqual([{ kind: 'text', text: '重要 见公告 <b>x</b>' }])
  })
  it('has nothing for nothing', () => expect(blocksOf(' \n\n')).toEqual([]))
})
