/** What a page looks like in a chat. */
export interface Card {
  title: string
  /** The page that it opens, with its query, such as "/earn/article/index?id=…". */
  page: string
  /** The whole address of a picture; without one WeChat takes one of the screen. */
  picture?: string
}

/** The card as WeChat's onShareAppMessage takes it. */
export const weChatCard = (card: Card) => ({ title: card.title, path: card.page, ...(card.picture ? { imageUrl: card.picture } : {}) })

// #ifdef H5
/** Opens the browser's own way of sharing or, where there is none, copies the address; true when it was copied. */
export async function shareInBrowser(card: Card): Promise<boolean> {
  const url = `${location.origin}${location.pathname}#${card.page}`
  if (typeof navigator.share === 'function') {
    await navigator.share({ title: card.title, url }).catch(() => {}) // closed without sharing
    return false
  }
  await new Promise((resolve, reject) => uni.setClipboardData({ data: url, showToast: false, success: resolve, fail: reject }))
  return true
}
// #endif
