import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { noteText, objectPath, objectText } from '@/resources/audit-runs/words'
import { figuresOf } from '@/resources/dashboard/figures'
import { stateOf } from '@/resources/rules/words'
import { noteOf, sectionNotes, sections, valueText } from '@/resources/settings/words'
import { deadlineText } from '@/shared/words'

const fromRoot = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')

test('every setting of config.yaml is told in Chinese', () => {
  let section = ''
  for (const line of fromRoot('config.yaml').split('\n')) {
    const [, indent, name, rest = ''] = /^( *)([a-z_0-9]+):(.*)$/.exec(line) ?? []
    if (!name) continue
    if (indent === '' && /^( *#|$)/.test(rest)) {
      section = name
      expect(sections[name], name).toBeDefined()
      if (rest.includes('#')) expect(sectionNotes[name], name).toBeDefined()
    } else {
      const key = indent ? `${section}.${name}` : name
      expect(noteOf({ key, note: '' }), key).toMatch(/[\u4e00-\u9fff]/)
    }
  }
  expect(section).toBe('notify')
})

test('a value is said as people say it', () => {
  expect(['720h', '24h', '1h30m0s', '15m', '5s', '1ms', 'true', '', '268435456', 'text'].map(valueText)).toEqual(['30 天', '24 小时', '1 小时 30 分钟', '15 分钟', '5 秒', '1 毫秒', '是', '（空）', '268,435,456', 'text'])
})

test('whatever the audit notes of a chain or a seal is told in Chinese', () => {
  const source = fromRoot('service/ledger/audit_chain.go')
  const said = [...source.matchAll(/(?:w\.report\([^"\n]*|[Nn]ote:? :?= ?|Note: |d\.Note = [^"\n]*"[^"]*"[^"\n]*)(?:fmt\.Sprintf\()?"([^"]+)"/g)].map(([, text]) => text!.replace('%d/%d', '3/5').replaceAll('%d', '7'))
  expect(said.length).toBeGreaterThan(15)
  for (const note of said) expect(noteText(note), note).not.toMatch(/[a-z]{2}/)
})

test('an account is told by whose it is', () => {
  const resident = '01KJKB3Q00J6ZFGWBHSZT8HNC7'
  expect([objectText(`1${resident}`), objectPath(`1${resident}`)]).toEqual(['居民账户 …T8HNC7', `/residents/${resident}`])
  expect([objectText('seal 12'), objectPath('seal 12')]).toEqual(['第 12 次封存', ''])
  expect([objectText(resident), objectPath(resident)]).toEqual([resident, ''])
})

test('what ends at midnight ends with the day before', () => {
  expect(deadlineText('2026-12-12T00:00:00+08:00')).toBe('2026-12-11 24:00')
  expect(deadlineText('2026-12-12T02:05:00+08:00')).toBe('2026-12-12 02:05')
  expect(deadlineText(null)).toBe('—')
})

test('of a rule that a later version took over from it is not said that it is in force', () => {
  const rule = { active_from: '2026-01-01T00:00:00+08:00', retired_at: null, superseded: false }
  expect(stateOf(rule as never).title).toBe('生效')
  expect(stateOf({ ...rule, superseded: true } as never).title).toBe('有新版')
})

test('every figure has its unit', () => {
  const points = { total: { issued: 3750, redeemed: 416, returned: 12, taken_back: 0, expired: 0 }, outstanding: 3505, held: 18, counted_at: 'x', outstanding_as_of: 'x' }
  const people = { self: { active_residents: 594, residents: 600, service_minutes: 42_660, corrected_minutes: 0 }, counted_at: 'x' }
  const cases = { self: { on_time: 1, late: 0, overdue: 0, reported: 130, rating: 4, rated: 92 } }
  for (const f of figuresOf(points as never, people as never, cases as never)) expect(f.value, f.title).toMatch(/^[\d,.]+ ?(分|人|小时|%|星)$/)
})
