import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const source = readFileSync('src/theme/tokens.scss', 'utf8')

function colours(block: string): Record<string, string> {
  const body = source.slice(source.indexOf(`\n${block} {`), source.indexOf('\n}', source.indexOf(`\n${block} {`)))
  return Object.fromEntries([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((m) => [m[1], m[2]!]))
}

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

function contrast(a: string, b: string): number {
  const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (hi! + 0.05) / (lo! + 0.05)
}

const pairs = [
  ['ink', 'ground'], ['ink', 'surface'], ['ink', 'sunken'], ['ink-2', 'ground'], ['ink-2', 'surface'], ['ink-2', 'sunken'],
  ['brand', 'ground'], ['brand', 'surface'], ['on-brand', 'brand'], ['brand', 'brand-soft'], ['on-brand-soft', 'brand-soft'],
  ['green', 'surface'], ['on-green-soft', 'green-soft'], ['on-gold-soft', 'gold-soft'], ['danger', 'surface'], ['danger', 'ground'], ['danger', 'danger-soft'],
] as const

// WeChat's own parts cannot take a variable: theme.json says the same once more.
const outside = JSON.parse(readFileSync('src/theme.json', 'utf8')) as Record<'light' | 'dark', Record<string, string>>

describe.each(['light', 'dark'] as const)('%s colours', (mode) => {
  const light = colours('.jm')
  const all = mode === 'light' ? light : { ...light, ...colours('.jm-dark') }

  it.each(pairs)('%s on %s has a contrast of at least 4.5', (text, ground) => {
    expect(contrast(all[text]!, all[ground]!)).toBeGreaterThanOrEqual(4.5)
  })

  it('are those of the parts that WeChat draws', () => {
    const { barGround, ground, tabText, tabChosen, tabGround } = outside[mode]
    expect({ barGround, ground, tabText, tabChosen, tabGround }).toEqual({ barGround: all.ground, ground: all.ground, tabText: all['ink-2'], tabChosen: all.brand, tabGround: all.surface })
    expect(contrast(outside[mode].barText === 'white' ? '#ffffff' : '#000000', all.ground!)).toBeGreaterThanOrEqual(4.5)
  })

  it('draws edges of inputs with at least 3', () => {
    expect(contrast(all['line-strong']!, all.surface!)).toBeGreaterThanOrEqual(3)
  })
})
