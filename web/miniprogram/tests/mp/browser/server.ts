import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Site } from './bundle'

export interface SiteServer {
  url: string
  close(): Promise<void>
}

/** Serves the site, and hands on everything else to the real server: for the browser both are one origin. */
export async function serve(site: Site, api: string): Promise<SiteServer> {
  const server = createServer((req, res) => {
    const found = site.get(req.url!.split('?')[0]!)
    if (!found) return handOn(api, req, res)
    res.writeHead(200, { 'Content-Type': `${found.type}; charset=utf-8`, 'Cache-Control': 'no-store' }).end(found.body)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

function handOn(api: string, req: IncomingMessage, res: ServerResponse): void {
  const target = new URL(req.url!, api)
  const onward = request(target, { method: req.method, headers: { ...req.headers, host: target.host } }, (answer) => {
    res.writeHead(answer.statusCode!, answer.headers)
    answer.pipe(res)
  })
  onward.on('error', () => res.destroy())
  req.pipe(onward)
}
