import { ref } from 'vue'
import { mp, type Mp } from '@/api'

/** What the server tells every client before login. */
export type ClientConfig = Mp<'ClientConfigDTO'>

const config = ref<ClientConfig | null>(null)
let flight: Promise<ClientConfig> | null = null

/** Fetches the configuration once; a failure is tried again by the next caller. */
export function clientConfig(): Promise<ClientConfig> {
  flight ??= fetchConfig().catch((e: unknown) => {
    flight = null
    throw e
  })
  return flight
}

async function fetchConfig(): Promise<ClientConfig> {
  config.value = await mp.call('get', '/client-config')
  return config.value
}

export const knownConfig = config
