import { isH5 } from './platform'

// WeChat hands wx to scripts by itself: it is not on the global object.
declare const wx: { env: { USER_DATA_PATH: string } }

/** Gives a PDF to the person: a browser saves it, WeChat shows it, where it can be sent on. */
export function givePdf(bytes: ArrayBuffer, name: string): Promise<void> {
  if (isH5) {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/pdf' }))
    link.download = name
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
    return Promise.resolve()
  }
  const path = `${wx.env.USER_DATA_PATH}/${name}`
  return new Promise((resolve, reject) =>
    uni.getFileSystemManager().writeFile({
      filePath: path,
      data: bytes,
      success: () => uni.openDocument({ filePath: path, fileType: 'pdf', showMenu: true, success: () => resolve(), fail: reject }),
      fail: reject,
    }),
  )
}
