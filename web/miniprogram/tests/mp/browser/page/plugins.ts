import { app } from './package'
import { phone } from './phone'

interface Recogniser {
  onStart?(): void
  onStop?(r: { result: string }): void
  onError?(e: { retcode: number; msg: string }): void
}

/** WeChat's plugin 同声传译: it answers when the recording is stopped. */
const recogniser: Recogniser & { start(): void; stop(): void } = {
  start: () => setTimeout(() => recogniser.onStart?.()),
  stop: () =>
    setTimeout(() => {
      if (phone.speech) recogniser.onStop?.({ result: phone.speech })
      else recogniser.onError?.({ retcode: -30011, msg: 'no voice' })
    }),
}

const played: Record<string, unknown> = { WechatSI: { getRecordRecognitionManager: () => recogniser } }

/** requirePlugin(): WeChat throws for a plugin that app.json does not declare or the account does not have. */
export function plugins(name: string): unknown {
  if (!app.plugins?.[name] || localStorage.getItem('test.noPlugins')) throw new Error(`plugin "${name}" is not defined`)
  return played[name]
}
