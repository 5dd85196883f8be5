import { isH5 } from './platform'

export interface Position {
  longitude: number
  latitude: number
}

/**
 * Where the device is; null when it does not know or the person does not want to tell. WeChat answers in GCJ-02, which
 * the API expects. Browsers answer in WGS-84 and refuse 'gcj02': a few hundred metres off, which a person can correct by picking.
 */
export function locate(): Promise<Position | null> {
  return new Promise((resolve) =>
    uni.getLocation({
      type: isH5 ? 'wgs84' : 'gcj02',
      success: (r) => resolve({ longitude: r.longitude, latitude: r.latitude }),
      fail: () => resolve(null),
    }),
  )
}
