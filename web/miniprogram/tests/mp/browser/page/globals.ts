// WeChat runs an app's scripts in a bare JavaScript engine: no window, no document, no fetch, no URL. Whatever this
// browser has beyond the language itself is therefore hidden from them.

const language =
  'Object Function Array Number Boolean String Symbol BigInt Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError JSON Math Atomics Map Set WeakMap WeakSet WeakRef FinalizationRegistry Proxy Reflect ArrayBuffer SharedArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array BigInt64Array BigUint64Array Infinity NaN undefined isNaN isFinite parseInt parseFloat decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape'.split(
    ' ',
  )
const engine = ['console', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval']
const visible = new Set([...language, ...engine])

function allNames(): string[] {
  const names = new Set<string>()
  for (let o: object | null = window; o && o !== Object.prototype; o = Object.getPrototypeOf(o) as object | null) {
    for (const name of Object.getOwnPropertyNames(o)) names.add(name)
  }
  return [...names].filter((n) => /^[A-Za-z_$][\w$]*$/.test(n) && !['eval', 'arguments', 'constructor'].includes(n))
}

const hidden = allNames().filter((n) => !visible.has(n) && n !== 'globalThis')

/** The global object that a script sees. */
export const appGlobal: Record<string, unknown> = Object.fromEntries([...visible].map((n) => [n, (window as unknown as Record<string, unknown>)[n]]))

/** Runs a script with these names and the language, and nothing else. */
export function runBare(file: string, source: string, given: Record<string, unknown>): void {
  const names = { globalThis: appGlobal, global: appGlobal, ...given }
  const rest = hidden.filter((n) => !(n in names))
  const script = new Function(...Object.keys(names), ...rest, `${source}\n//# sourceURL=mp/${file}`) as (...args: unknown[]) => void
  script(...Object.values(names))
}
