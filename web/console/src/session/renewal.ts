// One renewal at a time: refresh tokens rotate, so a second use of the same one would end the session.
export function singleFlight<T>(run: () => Promise<T>): () => Promise<T> {
  let flying: Promise<T> | null = null
  return () => {
    flying ??= run().finally(() => {
      flying = null
    })
    return flying
  }
}
