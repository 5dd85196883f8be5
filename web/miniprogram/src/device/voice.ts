// Speaking instead of typing, by WeChat's own plugin 同声传译 (see docs/adr/0013-voice-input.md). A build has it only when
// it names the plugin's version: WeChat refuses apps whose account has not added the plugin.

const longestMs = 60_000 // the plugin's own limit for one recording

interface Recogniser {
  start(options: { lang: string; duration: number }): void
  stop(): void
  onStop: (r: { result: string }) => void
  onError: (e: { retcode: number; msg: string }) => void
}

declare const requirePlugin: (name: string) => { getRecordRecognitionManager(): Recogniser }

let recogniser: Recogniser | null | undefined

function found(): Recogniser | null {
  if (recogniser === undefined) recogniser = load()
  return recogniser
}

function load(): Recogniser | null {
  // #ifdef MP-WEIXIN
  try {
    if (import.meta.env.VITE_WECHAT_SI_VERSION) return requirePlugin('WechatSI').getRecordRecognitionManager()
  } catch {
    // Taken from the account again, or an older WeChat: the keyboard stays.
  }
  // #endif
  return null
}

/** Whether this app can turn speech into text here. */
export const canListen = (): boolean => found() !== null

export interface Listening {
  /** What was understood; empty when nothing was, or when the microphone was refused. */
  text: Promise<string>
  stop(): void
}

/** Listens until `stop`, for at most a minute. Only where canListen. One at a time: there is one microphone. */
export function listen(): Listening {
  const ear = found()!
  const text = new Promise<string>((resolve) => {
    ear.onStop = (r) => resolve(r.result)
    ear.onError = () => resolve('')
  })
  ear.start({ lang: 'zh_CN', duration: longestMs })
  return { text, stop: () => ear.stop() }
}
