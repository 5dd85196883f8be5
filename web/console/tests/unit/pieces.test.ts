import { expect, test } from 'vitest'
import { blocksOf } from '@/resources/articles/words'
import { onTime } from '@/resources/dashboard/figures'
import { frameOf, pathOf, shapeOf } from '@/resources/regions/geo'

const square = { type: 'Polygon', coordinates: [[[120, 30], [120.1, 30], [120.1, 30.1], [120, 30.1], [120, 30]]] }

test('a boundary is read bare, as a feature and as a collection of one; nothing else is one', () => {
  const feature = { type: 'Feature', properties: {}, geometry: square }
  for (const wrapped of [square, feature, { type: 'FeatureCollection', features: [feature] }]) expect(shapeOf(JSON.stringify(wrapped))).toEqual(square)
  for (const other of ['', '{', 'null', '{"type":"Point","coordinates":[1,2]}', JSON.stringify({ type: 'FeatureCollection', features: [feature, feature] })]) expect(shapeOf(other)).toBeNull()
})

test('a boundary is drawn inside its frame, north up, with east and north in one measure', () => {
  const shape = shapeOf(JSON.stringify(square))!
  const frame = frameOf([shape], 640, 400)!
  const [sw, se, ne] = pathOf(shape, frame).slice(1, -1).split('L').map((p) => p.split(',').map(Number) as [number, number])
  for (const [x, y] of [sw!, se!, ne!]) {
    expect(x).toBeGreaterThanOrEqual(0)
    expect(x).toBeLessThanOrEqual(640)
    expect(y).toBeGreaterThanOrEqual(0)
    expect(y).toBeLessThanOrEqual(400)
  }
  expect(se![1]).toBeGreaterThan(ne![1])
  // At 30° north a degree of longitude is 0.866 of one of latitude.
  expect((se![0] - sw![0]) / (se![1] - ne![1])).toBeCloseTo(Math.cos((30.05 * Math.PI) / 180), 2)
  expect(frameOf([], 640, 400)).toBeNull()
})

test('an article breaks up as on a phone', () => {
  expect(blocksOf('# 时间\n九点。\n别迟到。\n\n- **包**饺子\n2. 见[通知](https://x)')).toEqual([
    { kind: 'heading', text: '时间' }, { kind: 'text', text: '九点。别迟到。' }, { kind: 'item', text: '包饺子' }, { kind: 'item', text: '见通知' },
  ])
})

test('nothing is said of no cases', () => {
  expect(onTime()).toBe('—')
  expect(onTime({ on_time: 0, late: 0, overdue: 0 })).toBe('—')
  expect(onTime({ on_time: 2, late: 1, overdue: 0 })).toBe('67%')
})
