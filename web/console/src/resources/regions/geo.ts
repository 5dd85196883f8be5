/** Boundaries as the API holds them, GeoJSON in GCJ-02, drawn flat: a county is small enough for that. */
export interface Shape { type: 'Polygon' | 'MultiPolygon'; coordinates: number[][][] | number[][][][] }
export interface Frame { left: number; top: number; scale: number; squeeze: number; width: number; height: number }

/** Null for what is no shape; the server says exactly what is wrong with one. */
export function shapeOf(text: string): Shape | null {
  try {
    let found = JSON.parse(text) as { type?: string; features?: { geometry?: unknown }[]; geometry?: unknown; coordinates?: unknown }
    // Drawing programs wrap a shape in a feature, or a collection of one.
    if (found.type === 'FeatureCollection' && found.features?.length === 1) found = found.features[0] as typeof found
    if (found.type === 'Feature') found = found.geometry as typeof found
    return (found.type === 'Polygon' || found.type === 'MultiPolygon') && Array.isArray(found.coordinates) ? (found as Shape) : null
  } catch {
    return null
  }
}

export const ringsOf = (shape: Shape): number[][][] => (shape.type === 'Polygon' ? (shape.coordinates as number[][][]) : (shape.coordinates as number[][][][]).flat())

/** The frame that holds all shapes, with a margin; east and north shrink alike, so that a square stays one. */
export function frameOf(shapes: Shape[], width: number, height: number, margin = 16): Frame | null {
  const points = shapes.flatMap(ringsOf).flat()
  if (!points.length) return null
  const [lons, lats] = [points.map((p) => p[0]!), points.map((p) => p[1]!)]
  const [west, east, south, north] = [Math.min(...lons), Math.max(...lons), Math.min(...lats), Math.max(...lats)]
  const squeeze = Math.cos((((south + north) / 2) * Math.PI) / 180)
  const scale = Math.min((width - 2 * margin) / ((east - west) * squeeze || 1e-6), (height - 2 * margin) / (north - south || 1e-6))
  return { left: west - (width / scale / squeeze - (east - west)) / 2, top: north + (height / scale - (north - south)) / 2, scale, squeeze, width, height }
}

export const pathOf = (shape: Shape, f: Frame): string =>
  ringsOf(shape).map((ring) => 'M' + ring.map(([lon, lat]) => `${((lon! - f.left) * f.squeeze * f.scale).toFixed(1)},${((f.top - lat!) * f.scale).toFixed(1)}`).join('L') + 'Z').join('')
