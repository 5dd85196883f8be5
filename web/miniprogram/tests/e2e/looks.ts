/** How a screen must be readable: each page is looked at in all three. */
export const looks = [
  { name: 'normal', settings: {} },
  { name: 'large', settings: { large: true } },
  { name: 'dark', settings: { dark: true } },
]
