import { defineElements } from './elements'
import { phone, watchFaults } from './phone'
import { plugins } from './plugins'
import * as screens from './screens'
import { startApp } from './scripts'
import { launchOptions, setOnline, wx } from './wx'

// Plays the built mini-program in this browser, from its first page on.

watchFaults()
defineElements()
Object.assign(window, { phone, mp: { ...screens, setOnline } })

const app = startApp({ wx, getCurrentPages: screens.openPages, requirePlugin: plugins })
const options = launchOptions()
app.onLaunch?.(options)
app.onShow?.(options)
const query = Object.entries(options.query).map(([k, v]) => `${k}=${v}`).join('&')
screens.reLaunch(`/${options.path}${query && '?' + query}`)
