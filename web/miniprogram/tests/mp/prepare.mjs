// Makes ready what the tests of the mini-program look at: their own packages, and dist/build/mp-weixin, which is built
// only when its sources, the OpenAPI files or the settings of the build have changed.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const client = at('../../')
const output = client + 'dist/build/mp-weixin'
const record = client + 'dist/build/mp-weixin.built.json'

// A release names its server and, if its account has it, the plugin for voice input: it gets what it names and nothing
// else. A build for the tests has the plugin, and a server that exists nowhere.
const release = process.env.VITE_API_ORIGIN !== undefined
const settings = {
  VITE_API_ORIGIN: process.env.VITE_API_ORIGIN ?? 'https://api.example.test',
  VITE_WECHAT_SI_VERSION: process.env.VITE_WECHAT_SI_VERSION ?? (release ? '' : '0.3.6'),
}

function fingerprint() {
  const sources = ['src', 'index.html', 'package-lock.json', 'vite.config.ts', '../../docs/openapi']
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z', '--', ...sources], { cwd: client, encoding: 'utf8' })
  const hash = createHash('sha256').update(JSON.stringify(settings))
  for (const file of files.split('\0').sort()) {
    if (file && existsSync(client + file)) hash.update(file).update(readFileSync(client + file))
  }
  return hash.digest('hex')
}

const built = () => (existsSync(output + '/app.json') && existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')).fingerprint : '')

execFileSync(client + '../../scripts/npm-ci.sh', { cwd: at('.'), stdio: 'inherit' })
const want = fingerprint()
if (built() !== want) {
  console.error('mini-program: building dist/build/mp-weixin (only when it has changed)')
  // A test runner's NODE_ENV would make it a development build.
  const env = { ...process.env, ...settings, NODE_ENV: 'production' }
  execFileSync('npm', ['run', '--silent', 'build:mp'], { cwd: client, env, stdio: ['ignore', 'ignore', 'inherit'] })
  writeFileSync(record, JSON.stringify({ fingerprint: want, ...settings }))
}
