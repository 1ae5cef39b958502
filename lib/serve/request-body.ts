import { ApiError, badRequest } from "./api-error.js";
import type { RequestContext, Service } from "./context.js";

/**
 * The body of a request as JSON.
 *
 * @throws ApiError 415, 413, 400
 */
export async function readJson(context: RequestContext, { options }: Pick<Service, "options">): Promise<unknown> {
  const bytes = await readBytes(context, options.bodyLimit);
  // Pages of other origins may send text without being asked (CORS), but not JSON.
  if (!/^application\/json\s*(;|$)/i.test(context.req.header("content-type") ?? "")) {
    throw new ApiError(415, "The body must be JSON, with the header content-type: application/json.", {
      code: "unsupported_media_type",
    });
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw badRequest("The body is no UTF-8.", undefined, "invalid_utf8");
  }
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest("The body is no JSON.", undefined, "invalid_json");
  }
}

/** Read no more than the limit, whether or not the client has announced the length. */
async function readBytes(context: RequestContext, limit: number): Promise<Uint8Array> {
  // What still comes is read and thrown away for a moment, so that the client sees the answer; then the connection is closed.
  const tooLarge = () =>
    new ApiError(413, `The request is larger than ${limit} bytes.`, {
      code: "request_too_large",
    });
  if (Number(context.req.header("content-length") ?? 0) > limit) throw tooLarge();
  const reader = context.req.raw.body?.getReader();
  if (!reader) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw badRequest("The body ended too early.");
    });
    if (done) return Buffer.concat(chunks, size);
    size += value.length;
    if (size > limit) throw tooLarge();
    chunks.push(value);
  }
}
