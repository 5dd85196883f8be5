import { ref } from 'vue'

/** True while the login dialog lies over the page; requests wait and are repeated after it. */
export const expired = ref(false)

let waiting: ((signedIn: boolean) => void)[] = []
let page = false

/** Only a page that somebody has before them is worth a dialog; before that, the login page is the answer. */
export function pageIsOpen(open: boolean): void {
  page = open
}

export function waitForLogin(): Promise<boolean> {
  if (!page) return Promise.resolve(false)
  expired.value = true
  return new Promise((resolve) => waiting.push(resolve))
}

export function endWaiting(signedIn: boolean): void {
  expired.value = false
  const all = waiting
  waiting = []
  for (const resolve of all) resolve(signedIn)
}
