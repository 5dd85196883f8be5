import { answer, api, type Schemas } from '@/api/client'

/** The file needs the token, so it is fetched and given to the browser, rather than linked. */
export async function saveExport(file: Schemas['ExportDTO']): Promise<void> {
  const blob = (await answer(api.GET('/exports/{id}/file', { params: { path: { id: file.id } }, parseAs: 'blob' }) as never)) as Blob
  saveBlob(blob, `${file.resource}-${file.created_at.slice(0, 10)}.${file.format}`)
}

export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
