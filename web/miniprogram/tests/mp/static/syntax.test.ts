import { describe, expect, it } from 'vitest'
import { builtFolder, change, copyOfBuild } from '../built'
import { syntaxFaults } from './syntax'

describe("WeChat's parsers wcc and wcsc", () => {
  it('accept every template and style sheet of the build', () => {
    expect(syntaxFaults(builtFolder)).toEqual([])
  })

  it('refuse a tag that is not closed', () => {
    const broken = copyOfBuild()
    change(broken, 'pages/home/index.wxml', (t) => t + '<view><text></view>')
    expect(syntaxFaults(broken).join()).toMatch(/wcc: .*pages\/home\/index\.wxml/s)
  })

  it('refuse a rule that is not closed', () => {
    const broken = copyOfBuild()
    change(broken, 'app.wxss', (t) => t + 'view{color:red')
    expect(syntaxFaults(broken).join()).toMatch(/wcsc: .*app\.wxss/s)
  })
})
