/** What was scanned or typed, as the API takes it: digits are the short code under the QR, all else is the QR's text. */
export function codeFields(text: string): { code?: string; short_code?: string } {
  const compact = text.replace(/[\s-]/g, '')
  return /^\d{1,20}$/.test(compact) ? { short_code: compact } : { code: text.trim().slice(0, 200) }
}

/** The code as a page's query carries it. Browsers hand it over decoded, WeChat does not; a foreign code may hold a bare "%". */
export function fromQuery(value: string | undefined): string {
  try {
    return decodeURIComponent(value ?? '')
  } catch {
    return value ?? ''
  }
}

const nextSteps: Record<string, string> = {
  'market.code_expired': '请顾客在“我的兑换单”里点“出示核销码”，码会自动换新，再扫一次。',
  'market.order_expired': '积分会自动退回顾客账户，本次不能核销。顾客可以重新兑换。',
  'market.code_used': '请不要再交付。可以在“今天”里查看是哪一次核销的。',
  'market.order_cancelled': '请不要交付。顾客可以重新兑换后再来。',
  'market.order_reversed': '请不要交付。顾客可以重新兑换后再来。',
  'market.code_other_merchant': '请不要交付，也不要收钱。请顾客看兑换单上写的商户和门店。',
  'market.store_not_allowed': '请顾客看兑换单上的门店。如果您选错了门店，请先换门店再扫。',
  'market.store_closed': '请先换到正在营业的门店，再扫一次。',
  'market.code_forged': '请不要交付。截图和转发的码可能是假的，请顾客当面打开“家门口”出示。',
  'market.order_not_found': '请核对数字，或者直接扫顾客手机上的二维码。',
  'market.merchant_inactive': '本店暂时不能核销，请店主联系运营人员。',
}

/** What the clerk does after a refusal; empty when the server's own sentence says it all. */
export const nextStep = (problemCode: string): string => nextSteps[problemCode] ?? ''
