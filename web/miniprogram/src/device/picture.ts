import { isH5 } from './platform'

const longestSide = 1600
const quality = 0.8

/** Lets the person take or choose up to `max` pictures; none when it was closed. WeChat looks after chooseMedia only, browsers know chooseImage only. */
export function choosePictures(max: number): Promise<string[]> {
  return new Promise((resolve) => {
    const fail = () => resolve([])
    if (isH5) uni.chooseImage({ count: max, sizeType: ['compressed'], success: (r) => resolve([r.tempFilePaths].flat().slice(0, max)), fail })
    else uni.chooseMedia({ count: max, mediaType: ['image'], sizeType: ['compressed'], success: (r) => resolve(r.tempFiles.map((f) => f.tempFilePath)), fail })
  })
}

/** A copy that is quick to upload: at most 1600 px, JPEG. What cannot be made smaller goes as it is. */
export async function compress(path: string): Promise<string> {
  try {
    return isH5 ? await compressInBrowser(path) : await compressInWeChat(path)
  } catch {
    return path
  }
}

function compressInWeChat(src: string): Promise<string> {
  return new Promise((resolve, reject) => uni.compressImage({ src, quality: quality * 100, success: (r) => resolve(r.tempFilePath), fail: reject }))
}

/** Through an image element and a data: address, since the page's content policy lets nothing fetch a blob: one. */
async function compressInBrowser(path: string): Promise<string> {
  const picture = new Image()
  picture.src = path
  await picture.decode()
  const ratio = Math.min(1, longestSide / Math.max(picture.naturalWidth, picture.naturalHeight))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(picture.naturalWidth * ratio)
  canvas.height = Math.round(picture.naturalHeight * ratio)
  canvas.getContext('2d')!.drawImage(picture, 0, 0, canvas.width, canvas.height)
  return canvas.toDataURL('image/jpeg', quality)
}
