/** An MP3 of so many seconds of silence: MPEG-1 layer III frames at 64 kbit/s, 44.1 kHz, mono, each 26 ms and empty but for its head. */
export function silentMp3(seconds: number): Uint8Array<ArrayBuffer> {
  const frameBytes = 208
  const frames = Math.ceil((seconds * 44_100) / 1152)
  const out = new Uint8Array(frames * frameBytes)
  for (let i = 0; i < frames; i++) out.set([0xff, 0xfb, 0x50, 0xc4], i * frameBytes)
  return out
}
