import type { ErrorResponse, HttpMethod, ResponseObjectMap, SuccessResponse } from 'openapi-typescript-helpers'
import type { components as MpComponents, paths as MpPaths } from './mp'
import type { components as StaffComponents, paths as StaffPaths } from './staff'

export type { MpPaths, StaffPaths, ErrorResponse }

/** Schemas by name: Mp<'Wallet'>, Staff<'Activity'>. */
export type Mp<K extends keyof MpComponents['schemas']> = MpComponents['schemas'][K]
export type Staff<K extends keyof StaffComponents['schemas']> = StaffComponents['schemas'][K]

export type Method = Extract<HttpMethod, 'get' | 'post' | 'put' | 'patch' | 'delete'>

/** The paths of a surface that know a method. */
export type PathOf<Paths, M extends Method> = {
  [P in keyof Paths]: M extends keyof Paths[P] ? (Paths[P][M] extends { responses: unknown } ? P : never) : never
}[keyof Paths]

type Op<Paths, P extends keyof Paths, M extends Method> = M extends keyof Paths[P] ? Paths[P][M] : never

type Params<O> = O extends { parameters: infer R } ? R : Record<never, never>
type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } } ? B : never

type NoSchema<T> = T extends object ? Omit<T, '$schema'> : T

type Needed<R, K extends string, Name extends string> = K extends keyof R
  ? [NonNullable<R[K]>] extends [never]
    ? { [N in Name]?: never }
    : Record<never, never> extends NonNullable<R[K]>
      ? { [N in Name]?: NonNullable<R[K]> }
      : { [N in Name]: NonNullable<R[K]> }
  : { [N in Name]?: never }

/** What a call takes: path and query parameters, body, Idempotency-Key; each required exactly where the API requires it. */
export type Init<Paths, P extends keyof Paths, M extends Method> = Needed<Params<Op<Paths, P, M>>, 'path', 'path'> &
  Needed<Params<Op<Paths, P, M>>, 'query', 'query'> &
  ([Body<Op<Paths, P, M>>] extends [never] ? { body?: never } : { body: NoSchema<Body<Op<Paths, P, M>>> }) &
  (Params<Op<Paths, P, M>> extends { header: { 'Idempotency-Key': string } } ? { key: string } : { key?: never })

export type Args<Paths, P extends keyof Paths, M extends Method> =
  Record<never, never> extends Init<Paths, P, M> ? [init?: Init<Paths, P, M>] : [init: Init<Paths, P, M>]

export type Answer<Paths, P extends keyof Paths, M extends Method> =
  Op<Paths, P, M> extends Record<string | number, unknown> ? SuccessResponse<ResponseObjectMap<Op<Paths, P, M>>> : never

/** A page of a list. */
export interface Page<T> {
  items: T[] | null
  next: string
}
