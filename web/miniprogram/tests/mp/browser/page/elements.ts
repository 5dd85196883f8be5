import { fire } from './adapter'
import { addressOf } from './package'
import { phone } from './phone'
import { shareCurrentPage } from './screens'

// Those of WeChat's built-in elements that are more than a box: what the app's pages hear and show of them.

const fits: Record<string, string> = { aspectFit: 'contain', aspectFill: 'cover' }

class ImageElement extends HTMLElement {
  static observedAttributes = ['src', 'mode']
  attributeChangedCallback(): void {
    const img = (this.firstElementChild as HTMLImageElement | null) ?? this.appendChild(document.createElement('img'))
    img.src = addressOf(this.getAttribute('src') ?? '')
    img.style.objectFit = fits[this.getAttribute('mode') ?? ''] ?? 'fill'
  }
}

/** An attribute that says yes in any of the ways that templates do. */
const yes = (element: Element, name: string) => !['false', null].includes(element.getAttribute(name))
const defaultMaxLength = 140

class InputElement extends HTMLElement {
  static observedAttributes = ['value', 'placeholder', 'disabled', 'maxlength', 'password']
  protected tag: 'input' | 'textarea' = 'input'
  private real?: HTMLInputElement | HTMLTextAreaElement

  attributeChangedCallback(): void {
    const real = (this.real ??= this.make())
    const value = this.getAttribute('value') ?? ''
    if (real.value !== value) real.value = value
    real.placeholder = this.getAttribute('placeholder') ?? ''
    real.disabled = yes(this, 'disabled')
    const max = Number(this.getAttribute('maxlength') ?? defaultMaxLength)
    if (max >= 0) real.maxLength = max
    else real.removeAttribute('maxlength')
    if (real instanceof HTMLInputElement) real.type = yes(this, 'password') ? 'password' : 'text'
  }

  private make() {
    const real = document.createElement(this.tag)
    real.className = 'real-input'
    const say = (type: string) => (e: Event) => {
      e.stopPropagation()
      fire(this, type, { value: real.value, cursor: real.value.length })
    }
    real.addEventListener('input', say('input'))
    real.addEventListener('focus', say('focus'))
    real.addEventListener('blur', say('blur'))
    real.addEventListener('change', (e) => e.stopPropagation())
    real.addEventListener('keydown', (e) => (e as KeyboardEvent).key === 'Enter' && this.tag === 'input' && say('confirm')(e))
    return this.appendChild(real)
  }
}

class TextareaElement extends InputElement {
  protected override tag = 'textarea' as const
}

class ButtonElement extends HTMLElement {
  constructor() {
    super()
    this.addEventListener('click', () => {
      const opens = this.getAttribute('open-type')
      if (opens === 'getPhoneNumber') fire(this, 'getphonenumber', phone.phoneCode ? { code: phone.phoneCode } : { errMsg: 'getPhoneNumber:fail user deny' })
      if (opens === 'share') phone.shared.push(shareCurrentPage('button'))
    })
  }
}

export function defineElements(): void {
  customElements.define('wx-image', ImageElement)
  customElements.define('wx-input', InputElement)
  customElements.define('wx-textarea', TextareaElement)
  customElements.define('wx-button', ButtonElement)
}
