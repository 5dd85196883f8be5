import type { Locator, Page } from 'playwright-core'
import { codeOf, fillLogin, password } from './harness'

/** The ten recovery codes, as long as they are shown. */
const recoveryCodes = (page: Page): Locator => page.getByRole('list', { name: '恢复码' }).getByRole('listitem')
export async function recoveryCodesOf(page: Page): Promise<string[]> {
  await recoveryCodes(page).nth(9).waitFor()
  return recoveryCodes(page).allInnerTexts()
}

/** On the page of one's account: begins to set up the second step, to where its picture is shown. */
export async function beginFactor(page: Page): Promise<void> {
  await page.locator('input[name=again]').fill(password)
  await page.getByRole('button', { name: '开始设置' }).click()
  await page.getByRole('img', { name: '两步验证的二维码' }).waitFor()
}

/** Proves that the authenticator has it, and returns the recovery codes. */
export async function confirmFactor(page: Page): Promise<string[]> {
  const secret = await page.getByRole('main').locator('code').innerText()
  await page.locator('input[name=factor]').fill(codeOf(secret))
  await page.getByRole('button', { name: '启用', exact: true }).click()
  return recoveryCodesOf(page)
}

/** Logs out and in again: a wrong code is refused, the right one opens. */
export async function logInAgain(page: Page, name: string, username: string, codes: { wrong: string; right: string }): Promise<void> {
  await page.getByRole('button', { name }).click()
  await page.getByRole('menuitem', { name: '退出登录' }).click()
  await page.waitForURL(/\/login/)
  await fillLogin(page, username)
  await page.locator('input[name=code]').fill(codes.wrong)
  await page.getByRole('button', { name: '确认', exact: true }).click()
  await page.getByRole('alert').waitFor()
  await page.locator('input[name=code]').fill(codes.right)
  await page.getByRole('button', { name: '确认', exact: true }).click()
  await page.getByRole('heading', { name: /您好/ }).waitFor()
}
