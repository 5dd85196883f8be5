// The icons, drawn for this app on a 24 × 24 grid with a 2 px stroke. They are inlined as masks, so that they take the
// colour of the text beside them in both builds. An icon never stands without a word.

const paths = {
  home: 'M3 11.5 12 4l9 7.5M5.5 10v10h13V10M10 20v-6h4v6',
  earn: 'M12 3v4M12 17v4M3 12h4M17 12h4M12 8.5l1.1 2.4 2.4 1.1-2.4 1.1-1.1 2.4-1.1-2.4L8.5 12l2.4-1.1z',
  gift: 'M4 11h16v9H4zM3 7.5h18V11H3zM12 7.5V20M12 7.5C9 7.5 7.5 6 8 4.6S11.5 4 12 7.5zM12 7.5c3 0 4.500-1.500 4-2.900S12.500 4 12 7.500z',
  wallet: 'M4 7.500h15a1 1 0 0 1 1 1V19a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1zM4 7.500 15.500 4v3.500M16 13.800h4',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20.500c.800-4 3.800-6 7.500-6s6.700 2 7.500 6',
  back: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  down: 'M5 9l7 7 7-7',
  close: 'M6 6l12 12M18 6 6 18',
  check: 'M4.500 12.500l5 5L19.500 7',
  plus: 'M12 5v14M5 12h14',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.500 4.500',
  news: 'M4 5h13v14H5.500A1.500 1.500 0 0 1 4 17.500zM17 9h3v8.500a1.500 1.500 0 0 1-3 0M7 9h7M7 12.500h7M7 16h4',
  calendar: 'M4 6h16v14H4zM4 10.500h16M8 3.500V8M16 3.500V8M8 14.500h2M14 14.500h2',
  flag: 'M5 21V4h13l-2.500 4L18 12H5',
  camera: 'M4 8h3.500L9 5.500h6L16.500 8H20v11.500H4zM12 17a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7z',
  scan: 'M4 8.500V4h4.500M15.500 4H20v4.500M20 15.500V20h-4.500M8.500 20H4v-4.500M4 12h16',
  keyboard: 'M3 6.500h18v11H3zM6.500 10h.1M10 10h.1M13.500 10h.1M17 10h.1M8 14h8',
  pin: 'M12 21.500s7-6.300 7-11.700A7 7 0 0 0 5 9.800c0 5.400 7 11.700 7 11.700zM12 12.300a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  bell: 'M6 17V10.500a6 6 0 0 1 12 0V17l1.500 1.500h-15zM10 21h4',
  trophy: 'M7.500 4h9v6a4.500 4.500 0 0 1-9 0zM7.500 5.500H4c0 3.500 1.500 5 3.500 5M16.500 5.500H20c0 3.500-1.500 5-3.500 5M12 14.500V18M8 20.500h8M9.500 20.500c0-1.500 1-2.500 2.500-2.500s2.500 1 2.500 2.500',
  phone: 'M7 2.500h10v19H7zM10.500 18.500h3',
  shield: 'M12 3l7.500 3v5.500c0 4.500-3 8-7.500 9.500-4.500-1.500-7.500-5-7.500-9.500V6zM8.500 12l2.500 2.500 4.500-5',
  text: 'M3 7V5h12v2M9 5v14M7 19h4M14 13v-2h7v2M17.500 11v8M16 19h3',
  moon: 'M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z',
  download: 'M12 4v11M7.500 11l4.500 4.500 4.500-4.500M4 20h16',
  trash: 'M4.500 7h15M9.500 7V4h5v3M6.500 7l1 13.500h9l1-13.500M10 11v6M14 11v6',
  exit: 'M10 4H4.500v16H10M9.500 12H20M16 8l4 4-4 4',
  badge: 'M4 6.500h16v13H4zM9 3.500h6v5H9zM8.500 16.500c.500-1.500 1.500-2 3.500-2s3 .5 3.500 2M12 13.500a1 1 0 1 0 0-.1z',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5.500l3.500 2',
  refresh: 'M19.500 12a7.500 7.500 0 1 1-2.200-5.300L19.500 9M19.500 4v5h-5',
  offline: 'M3 3l18 18M6 13a9 9 0 0 1 4-2.600M2.500 9.500a14 14 0 0 1 4-2.700M18 13a9 9 0 0 0-2-1.500M21.500 9.500A14 14 0 0 0 10 5.600M9 16.500a4.500 4.500 0 0 1 6 0M12 20h.1',
  alert: 'M12 3.500 2.500 20h19zM12 10v4.500M12 17.300h.1',
  empty: 'M4 13.500 7 5h10l3 8.500V19H4zM4 13.500h5l1 2h4l1-2h5',
  store: 'M4 10v10h16V10M3 10l2-6h14l2 6c0 3-4 3-4.500 0-.500 3-4 3-4.500 0-.500 3-4 3-4.500 0C7 13 3 13 3 10zM9.500 20v-5h5v5',
  list: 'M8.500 6H20M8.500 12H20M8.500 18H20M4 6h.1M4 12h.1M4 18h.1',
  edit: 'M4 20l1-4.500L16 4.500l3.500 3.500L8.500 19zM13.500 7l3.500 3.500',
  heart: 'M12 20S4 15 4 9.300C4 5 9.500 3.500 12 8c2.500-4.500 8-3 8 1.300C20 15 12 20 12 20z',
  share: 'M12 15V4M8 7.500l4-4 4 4M5 12v8h14v-8',
  sound: 'M4 9.500h3.500L12 5.500v13L7.500 14.500H4zM15.500 9a4 4 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11',
  pause: 'M8.500 5v14M15.500 5v14',
  mic: 'M12 14.500a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM5.500 11.500a6.500 6.500 0 0 0 13 0M12 18v3M8.500 21h7',
} as const

export type IconName = keyof typeof paths

/** The icon as a CSS mask. */
export function maskOf(name: IconName): string {
  const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='black' stroke-width='2' stroke-linecap='round' stroke-linejoin='round'><path d='${paths[name]}'/></svg>`
  return `url("data:image/svg+xml,${encodeURIComponent(svg)}")`
}
