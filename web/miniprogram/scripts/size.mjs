// Adds up what WeChat and browsers must load, prints it, and fails over the limits: WeChat takes no package over 2 MB
// and no app over 20 MB; a browser's first load is at most 400 kB on the wire.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const miniProgram = here('../dist/build/mp-weixin/')
const embedded = here('../../dist/miniprogram/') // what the server sends: text packed with gzip
const packageLimit = 2 * 1024 * 1024
const appLimit = 20 * 1024 * 1024
const firstLoadLimit = 400 * 1000
const firstPages = ['pages-welcome-index', 'pages-login-index', 'pages-home-index']

let failed = false

function report(what, bytes, limit) {
  const over = bytes > limit
  failed ||= over
  console.log(`${over ? 'TOO BIG' : 'ok     '} ${(bytes / 1000).toFixed(1).padStart(8)} kB of ${(limit / 1000).toFixed(0).padStart(6)}  ${what}`)
}

const filesUnder = (folder) => readdirSync(folder, { recursive: true }).filter((f) => statSync(folder + f).isFile())

function weChatPackages() {
  const { subPackages } = JSON.parse(readFileSync(miniProgram + 'app.json', 'utf8'))
  const sizes = new Map([['main package', 0], ...subPackages.map((p) => [p.root, 0])])
  // The developer tools' own settings are not uploaded.
  for (const file of filesUnder(miniProgram).filter((f) => f !== 'project.config.json')) {
    const owner = subPackages.find((p) => file.startsWith(p.root + '/'))?.root ?? 'main package'
    sizes.set(owner, sizes.get(owner) + statSync(miniProgram + file).size)
  }
  return sizes
}

/** The page, its style sheets, the entry and all that it and the first pages import: a new person's way to the home page. */
function firstLoad() {
  const assets = readdirSync(embedded + 'assets')
  const packed = (name) => assets.find((f) => f === name + '.gz' || f === name)
  const wanted = new Set(assets.filter((f) => f.endsWith('.css.gz')))
  const visit = (file) => {
    if (!file || wanted.has(file)) return
    wanted.add(file)
    for (const [, next] of text(file).matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)) visit(packed(next))
  }
  for (const [, name] of unpacked(embedded + 'index.html.gz').matchAll(/assets\/([^"]+\.js)/g)) visit(packed(name))
  for (const page of firstPages) {
    const file = assets.find((f) => f.startsWith(page + '.'))
    if (!file) throw new Error(`size: no chunk of ${page}: the first load is not what it was`)
    visit(file)
  }
  return [...wanted].reduce((sum, f) => sum + statSync(embedded + 'assets/' + f).size, statSync(embedded + 'index.html.gz').size)
}

const unpacked = (path) => gunzipSync(readFileSync(path)).toString()
const text = (asset) => (asset.endsWith('.gz') ? unpacked(embedded + 'assets/' + asset) : '')

for (const [folder, command] of [[miniProgram, 'npm run mp'], [embedded, 'make build']]) {
  if (existsSync(folder)) continue
  console.error(`size: nothing is built in ${folder}: run ${command} first`)
  process.exit(1)
}
const packages = weChatPackages()
for (const [name, bytes] of packages) report(`WeChat, ${name}`, bytes, packageLimit)
report('WeChat, all packages', [...packages.values()].reduce((a, b) => a + b), appLimit)
report('browser, first load', firstLoad(), firstLoadLimit)
if (failed) process.exit(1)
