import { ref } from 'vue'
import { mp } from '@/api'

/** What the server tells every client before login: GET /mp/v1/client-config. */
export interface ClientConfig {
  mode: 'demo' | 'production'
  demo_residents: { name: string; code: string }[]
  demo_staff: { username: string; name: string; role: string }[]
  daily_sign_in: boolean
  resident_leaderboards: boolean
}

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
  // The committed OpenAPI file does not have this path yet: the cast goes when it does.
  const get = mp.call.bind(mp) as unknown as (method: 'get', path: '/client-config') => Promise<Partial<ClientConfig>>
  const answer = await get('get', '/client-config')
  config.value = {
    mode: answer.mode ?? 'production',
    demo_residents: answer.demo_residents ?? [],
    demo_staff: answer.demo_staff ?? [],
    daily_sign_in: answer.daily_sign_in ?? false,
    resident_leaderboards: answer.resident_leaderboards ?? false,
  }
  return config.value
}

export const knownConfig = config
