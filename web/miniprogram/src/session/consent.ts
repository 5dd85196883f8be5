import { mp, type Mp } from '@/api'
import { keys, load, save } from '@/device/storage'
import { clientConfig, knownConfig } from './config'

/** What is collected and why, one purpose at a time. The server has the texts and their versions: there is no second copy. */
export type ConsentText = Mp<'ConsentTextDTO'>
export type Purpose = ConsentText['purpose']

export async function consentTexts(): Promise<ConsentText[]> {
  return (await clientConfig()).consents ?? []
}

/** A decision and the version of the text that it was made on. */
type Granted = Pick<ConsentText, 'purpose' | 'version'>

/** What was ticked before the login; null when the welcome page has not been answered, or its texts have changed since. */
export function welcomed(): Granted[] | null {
  const granted = load<Granted[]>(keys.welcomed)
  if (!Array.isArray(granted)) return null
  const required = knownConfig.value?.consents?.filter((t) => t.required) ?? []
  return required.every((t) => granted.some((g) => g.purpose === t.purpose && g.version === t.version)) ? granted : null
}

export function keepWelcome(texts: ConsentText[]): void {
  save(keys.welcomed, texts.map(({ purpose, version }): Granted => ({ purpose, version })))
}

/** Records on the server what was ticked before the login. What was not ticked is not touched: it may have been granted elsewhere. */
export async function recordWelcome(): Promise<void> {
  for (const { purpose, version } of welcomed() ?? []) await record(purpose, version)
}

export async function consents(): Promise<Mp<'ConsentDTO'>[]> {
  return (await mp.call('get', '/consents')).items ?? []
}

/** Grants a purpose on the text that is shown now. */
export async function grant(purpose: Purpose): Promise<void> {
  const text = (await consentTexts()).find((t) => t.purpose === purpose)
  await record(purpose, text?.version ?? '')
}

const record = (purpose: Purpose, version: string) => mp.call('put', '/consents/{purpose}', { path: { purpose }, body: { version } })
export const withdraw = (purpose: Purpose) => mp.call('delete', '/consents/{purpose}', { path: { purpose } })
