import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { sha256 } from "thoughtbook/core";
import { onTestFinished, vi } from "vitest";

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
export const MODEL = "owner/tiny";

/** A hub with one model, and the store behind it that large files are redirected to. */
export interface FakeHub {
  url: string;
  /** The requests to the hub and to the store, as "GET /path". */
  requests: string[];
  storeRequests: IncomingMessage[];
  hubRequests: IncomingMessage[];
}

export interface FakeHubOptions {
  files: Record<string, string | Uint8Array>;
  /** Files of at least this size lie in the store; 1,000 bytes unless told otherwise. */
  largeBytes?: number;
  /** Looks at a request to the hub first; true if it has answered. */
  hub?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Looks at a request to the store first; true if it has answered. */
  store?: (request: IncomingMessage, response: ServerResponse, content: Buffer) => boolean;
  /** Entries of the listing that differ from the files. */
  listing?: (entries: Record<string, unknown>[]) => unknown;
  commit?: string;
}

/** Let the hub's client see nothing of this machine's settings, and keep its cache in a folder. */
export function isolateHub(home: string): void {
  for (const name of ["HF_TOKEN", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "XDG_CACHE_HOME"]) {
    vi.stubEnv(name, undefined);
  }
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "no_proxy"])
    vi.stubEnv(name, undefined);
  vi.stubEnv("NO_PROXY", "127.0.0.1");
  vi.stubEnv("HF_HOME", home);
}

export const gitHash = (content: Uint8Array): string =>
  createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");

/** The part of a content that a Range header asks for. */
export function sendRange(request: IncomingMessage, response: ServerResponse, content: Buffer): void {
  const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const body = content.subarray(start);
  if (start > 0) response.setHeader("content-range", `bytes ${start}-${content.length - 1}/${content.length}`);
  response.writeHead(start > 0 ? 206 : 200, { "content-length": body.length }).end(body);
}

export async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An address where nobody listens. */
export async function closedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** Serve a model as huggingface.co does: its API, redirects of large files to another host, hashes in headers. */
export async function fakeHub(options: FakeHubOptions): Promise<FakeHub> {
  const { largeBytes = 1000, listing = (entries) => entries, commit = COMMIT } = options;
  const files = new Map(Object.entries(options.files).map(([path, content]) => [path, Buffer.from(content)]));
  const isLarge = (content: Buffer) => content.length >= largeBytes;
  const hub: FakeHub = { url: "", requests: [], storeRequests: [], hubRequests: [] };

  const storeUrl = await listen((request, response) => {
    hub.storeRequests.push(request);
    hub.requests.push(`${request.method} store${request.url}`);
    const content = [...files.values()].find((each) => request.url === `/${sha256(each)}?signature=secret`);
    if (content === undefined) response.writeHead(404).end();
    else if (!options.store?.(request, response, content)) sendRange(request, response, content);
  });

  hub.url = await listen((request, response) => {
    hub.hubRequests.push(request);
    const path = decodeURIComponent(request.url!.replace(/\?.*/, ""));
    hub.requests.push(`${request.method} ${path}`);
    if (options.hub?.(request, response)) return;
    if (path.startsWith(`/api/models/${MODEL}/revision/`)) {
      response.setHeader("content-type", "application/json").end(JSON.stringify({ _id: "1", id: MODEL, sha: commit }));
    } else if (path.startsWith(`/api/models/${MODEL}/tree/${commit}`)) {
      const folder = path.slice(`/api/models/${MODEL}/tree/${commit}`.length + 1);
      const inside = [...files].filter(([name]) => name.startsWith(folder === "" ? "" : `${folder}/`));
      const below = (name: string) => name.slice(folder === "" ? 0 : folder.length + 1).split("/");
      const folders = new Set(
        inside.map(([name]) => below(name)).flatMap(([first, ...rest]) => (rest[0] ? first! : [])),
      );
      const here = inside.filter(([name]) => below(name).length === 1);
      const entries: Record<string, unknown>[] = here.map(([name, content]) => ({
        type: "file",
        path: name,
        size: content.length,
        oid: gitHash(content),
        ...(isLarge(content) && { lfs: { oid: sha256(content), size: content.length, pointerSize: 130 } }),
      }));
      entries.push(
        ...[...folders].map((name) => ({ type: "directory", path: name, size: 0, oid: gitHash(Buffer.from(name)) })),
      );
      response.setHeader("content-type", "application/json").end(JSON.stringify(listing(entries)));
    } else {
      const content = files.get(
        path.replace(`/${MODEL}/resolve/${commit}/`, "").replace(`/${MODEL}/resolve/main/`, ""),
      );
      response.setHeader("x-repo-commit", commit);
      if (content === undefined) {
        response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
      } else if (isLarge(content)) {
        response
          .writeHead(302, {
            location: `${storeUrl}/${sha256(content)}?signature=secret`,
            "x-linked-etag": `"${sha256(content)}"`,
            "x-linked-size": content.length,
          })
          .end();
      } else {
        response.setHeader("etag", `"${gitHash(content)}"`);
        sendRange(request, response, content);
      }
    }
  });
  return hub;
}
