import { isH5 } from './platform'

/**
 * Fetches the code of pages that a person may need when the network is gone, such as the redemption code at the
 * counter. A browser loads pages one by one; WeChat has the whole subpackage already.
 */
export function preload(...urls: string[]): void {
  if (isH5) for (const url of urls) uni.preloadPage({ url, fail: () => {} })
}
