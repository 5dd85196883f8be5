import { mp, type Mp } from '@/api'
import { keys, load, save } from '@/device/storage'

export type Purpose = Mp<'ConsentDTO'>['purpose']

/** Version of the texts below: it is recorded with each decision. Change both together. */
export const consentVersion = '2026-11'

export interface ConsentText {
  purpose: Purpose
  title: string
  what: string
  why: string
  without: string
}

/** What is collected and why, one purpose at a time. */
export const consentTexts: ConsentText[] = [
  {
    purpose: 'privacy_policy',
    title: '基本服务',
    what: '微信的匿名编号、您填写的昵称、居住的村社，以及您做过的事和积分。',
    why: '用来认出您、记清积分和服务时长。手机号、真实姓名只在您自己填写时才有，加密保存。',
    without: '不同意就不能使用。您可以随时注销账号。',
  },
  {
    purpose: 'location',
    title: '使用我的位置',
    what: '您点“定位”或签到时手机所在的位置。',
    why: '用来找到您的村社和附近的活动，签到时证明在现场。坐标最多保存 30 天。',
    without: '不同意也能用：居住地和上报地点可以自己选。',
  },
  {
    purpose: 'notifications',
    title: '给我发通知',
    what: '您在微信里允许的通知次数。',
    why: '积分快到期、上报有结果、活动有变化时，在微信里告诉您。',
    without: '不同意也能用：在“消息”里同样能看到。',
  },
  {
    purpose: 'leaderboard',
    title: '上居民榜单',
    what: '隐去名字的称呼（如“王**”）和一段时间里得到的积分。',
    why: '让邻里看到大家的付出。',
    without: '不同意也能用：别人看不到您，您自己的名次仍能看。',
  },
]

interface Welcomed {
  version: string
  granted: Purpose[]
}

/** What was ticked before the login; null when the welcome page has not been answered in this version. */
export function welcomed(): Welcomed | null {
  const w = load<Welcomed>(keys.welcomed)
  return w?.version === consentVersion ? w : null
}

export function keepWelcome(granted: Purpose[]): void {
  save(keys.welcomed, { version: consentVersion, granted })
}

/** Records on the server what was ticked before the login. What was not ticked is not touched: it may have been granted elsewhere. */
export async function recordWelcome(): Promise<void> {
  for (const purpose of welcomed()?.granted ?? []) await grant(purpose)
}

export async function consents(): Promise<Mp<'ConsentDTO'>[]> {
  return (await mp.call('get', '/consents')).items ?? []
}

export const grant = (purpose: Purpose) => mp.call('put', '/consents/{purpose}', { path: { purpose }, body: { version: consentVersion } })
export const withdraw = (purpose: Purpose) => mp.call('delete', '/consents/{purpose}', { path: { purpose } })
