/** Where everybody can get a public picture or recording. */
export const mediaAddress = (key: string) => (key ? `/mp/v1/media/${key}` : '')

/** One file as the API takes it. The types call the form an object, and the browser writes the boundary. */
export function fileBody(file: File) {
  const body = new FormData()
  body.append('file', file)
  return { body: body as never, bodySerializer: (b: unknown) => b as FormData }
}
