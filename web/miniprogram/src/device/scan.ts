/** WeChat's own scanner; null when the person closed it. */
export function scanWithWeChat(): Promise<string | null> {
  return new Promise((resolve) =>
    uni.scanCode({ scanType: ['qrCode'], success: (r) => resolve(r.result), fail: () => resolve(null) }),
  )
}

export interface Camera {
  /** Resolves with the first code seen, or null when the camera was closed. */
  read(): Promise<string | null>
  close(): void
}

// #ifdef H5
const frameMs = 150

/** Opens the back camera in the element with this id. Browser only: it uses getUserMedia and jsQR, loaded on first use. */
export async function openCamera(elementId: string): Promise<Camera> {
  const [{ default: jsQR }, stream] = await Promise.all([
    import('jsqr'),
    navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }),
  ])
  const video = document.createElement('video')
  video.setAttribute('playsinline', '')
  video.muted = true
  video.style.cssText = 'width:100%;height:100%;object-fit:cover'
  video.srcObject = stream
  document.getElementById(elementId)?.replaceChildren(video)
  await video.play()

  let closed = false
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d', { willReadFrequently: true })!

  function look(): string | null {
    if (video.videoWidth === 0) return null
    canvas.width = video.videoWidth
    canvas.height = video.videoHeight
    context.drawImage(video, 0, 0)
    const image = context.getImageData(0, 0, canvas.width, canvas.height)
    return jsQR(image.data, image.width, image.height, { inversionAttempts: 'dontInvert' })?.data || null
  }

  return {
    async read() {
      while (!closed) {
        const text = look()
        if (text) return text
        await new Promise((next) => setTimeout(next, frameMs))
      }
      return null
    },
    close() {
      closed = true
      for (const track of stream.getTracks()) track.stop()
      video.remove()
    },
  }
}
// #endif
