import { writeFileSync } from 'node:fs'
import qrcode from 'qrcode-generator'

const width = 640
const height = 480
const quietModules = 8
const white = 235
const black = 16
const frames = 10

/**
 * Writes a y4m film of a QR code, which Chromium plays as its camera (see openBrowser). The file is opened when a page
 * asks for the camera, so that it can be written just before: redemption codes live for seconds.
 */
export function filmOf(text: string, path: string): void {
  const frame = Buffer.concat([Buffer.from('FRAME\n'), brightness(text), Buffer.alloc((width * height) / 2, 128)])
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`)
  writeFileSync(path, Buffer.concat([head, ...Array.from({ length: frames }, () => frame)]))
}

/** The luma plane: the code in the middle of a white wall. */
function brightness(text: string): Buffer {
  const code = qrcode(0, 'M')
  code.addData(text)
  code.make()
  const n = code.getModuleCount()
  const cell = Math.floor(height / (n + quietModules))
  const left = (width - cell * n) >> 1
  const top = (height - cell * n) >> 1
  const plane = Buffer.alloc(width * height, white)
  for (let row = 0; row < n * cell; row++) {
    for (let column = 0; column < n * cell; column++) {
      if (code.isDark(Math.floor(row / cell), Math.floor(column / cell))) plane[(top + row) * width + left + column] = black
    }
  }
  return plane
}
