/** Takes apart what a page was opened with: `?scene=` from a mini-program code (≤ 32 characters, "k=v&k=v") or the query itself. */
export function deepLink(query: Record<string, string | undefined> = {}): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [k, v] of Object.entries(query)) if (v !== undefined && k !== 'scene') out[k] = v
  if (query.scene) {
    for (const part of decodeURIComponent(query.scene).split('&')) {
      const [k, v] = part.split('=')
      if (k && v) out[k] = v
    }
  }
  return out
}
