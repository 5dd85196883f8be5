/** A single-use login code from WeChat. */
export function loginCode(): Promise<string> {
  return new Promise((resolve, reject) =>
    uni.login({ provider: 'weixin', success: (r) => resolve(r.code), fail: (e) => reject(new Error(e.errMsg)) }),
  )
}

/** A login code of the demo's simulated WeChat: the name and a number that was never used. */
export function demoCode(prefix: string): string {
  return `${prefix}-${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`
}
