import { writeFileSync } from 'node:fs'
import type { Page } from 'playwright-core'

const width = 640
const height = 480
const codeSide = 440
const frames = 10

/**
 * Writes a y4m film of the QR code on a phone's screen, which Chromium plays as its camera (see openBrowser): the other
 * phone scans what this one shows. The file is opened when a page asks for the camera, so that it can be written just
 * before: redemption codes live for seconds.
 */
export async function filmOf(page: Page, path: string): Promise<void> {
  const code = page.locator('.qr:visible:not(:has(.dimmed))').first() // not one that is waiting to be renewed
  const picture = (await code.screenshot()).toString('base64')
  const plane = await page.evaluate(brightness, { picture, width, height, codeSide })
  write(Buffer.from(plane, 'base64'), path)
}

/** A film of a white wall: a camera that finds nothing. */
export const filmOfNothing = (path: string) => write(Buffer.alloc(width * height, 235), path)

function write(luma: Buffer, path: string): void {
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, Buffer.alloc((width * height) / 2, 128)])
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`)
  writeFileSync(path, Buffer.concat([head, ...Array.from({ length: frames }, () => frame)]))
}

/** Runs in the page, where there is a decoder for pictures: the luma plane of a frame with the picture in its middle. */
async function brightness(at: { picture: string; width: number; height: number; codeSide: number }): Promise<string> {
  const image = new Image()
  image.src = 'data:image/png;base64,' + at.picture
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = at.width
  canvas.height = at.height
  const context = canvas.getContext('2d')!
  context.fillStyle = '#fff'
  context.fillRect(0, 0, at.width, at.height)
  const scale = at.codeSide / Math.max(image.width, image.height)
  const [w, h] = [image.width * scale, image.height * scale]
  context.drawImage(image, (at.width - w) / 2, (at.height - h) / 2, w, h)
  const rgba = context.getImageData(0, 0, at.width, at.height).data
  let luma = ''
  for (let i = 0; i < rgba.length; i += 4) luma += String.fromCharCode(16 + Math.round((rgba[i]! * 219) / 255))
  return btoa(luma)
}
