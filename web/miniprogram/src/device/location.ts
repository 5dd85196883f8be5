import { isH5 } from './platform'

/** A position as the device tells it, with the system that it is told in: the server brings all of them into one. */
export interface Position {
  longitude: number
  latitude: number
  coordinate_system: 'gcj02' | 'wgs84'
}

/** WeChat answers in GCJ-02. Browsers answer in WGS-84 and refuse any other; in China that lies some hundred metres off. */
const system = isH5 ? 'wgs84' : 'gcj02'

/** Where the device is; null when it does not know or the person does not want to tell. */
export function locate(): Promise<Position | null> {
  return new Promise((resolve) =>
    uni.getLocation({
      type: system,
      success: (r) => resolve({ longitude: r.longitude, latitude: r.latitude, coordinate_system: system }),
      fail: () => resolve(null),
    }),
  )
}

/** A position in the words of lists and writes. */
export const lonLat = (p: Position) => ({ lon: p.longitude, lat: p.latitude, coordinate_system: p.coordinate_system })
