// Sums what a first visit loads (the entry and its static imports, gzipped) and fails over the limit.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const limitBytes = 600 * 1000
const dist = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
const seen = new Set()
const files = new Set()

function visit(key) {
  if (seen.has(key)) return
  seen.add(key)
  const chunk = manifest[key]
  files.add(chunk.file)
  for (const css of chunk.css ?? []) files.add(css)
  for (const next of chunk.imports ?? []) visit(next)
}

visit('index.html')
// The first screens, login and start page, are part of the first load too.
for (const page of ['src/pages/LoginPage.vue', 'src/app/AppFrame.vue', 'src/pages/StartPage.vue']) visit(page)
let total = 0
for (const file of files) total += gzipSync(readFileSync(new URL(file, dist))).length
console.log(`first load: ${(total / 1000).toFixed(1)} kB gzip in ${files.size} files (limit ${limitBytes / 1000} kB)`)
if (total > limitBytes) process.exit(1)
