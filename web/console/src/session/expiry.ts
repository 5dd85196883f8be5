import { ref } from 'vue'

/** True while the login dialog lies over the page; requests wait and are repeated after it. */
export const expired = ref(false)

let waiting: ((signedIn: boolean) => void)[] = []

export function waitForLogin(): Promise<boolean> {
  expired.value = true
  return new Promise((resolve) => waiting.push(resolve))
}

export function endWaiting(signedIn: boolean): void {
  expired.value = false
  const all = waiting
  waiting = []
  for (const resolve of all) resolve(signedIn)
}
