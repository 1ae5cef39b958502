import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { ActiveRequests } from "./active-requests.js";
import { ApiError, badRequest } from "./api-error.js";
import type { ResolvedOptions } from "./options.js";
import type { ServedModel } from "./served-model.js";

/** What the routes share. */
export interface Service {
  /** By the names that requests use. */
  models: ReadonlyMap<string, ServedModel>;
  active: ActiveRequests;
  options: ResolvedOptions;
  /** Report an error that is no fault of a client. */
  fault(error: unknown): void;
}

/** What is written down of a request when it has ended. */
export interface Account {
  model?: string;
  promptTokens: number;
  completionTokens: number;
}

export interface Environment {
  Bindings: HttpBindings;
  Variables: { id: string; account: Account };
}

export type RequestContext = Context<Environment>;

/** @throws ApiError 404 */
export function modelOf({ models }: Service, id: string): ServedModel {
  const found = models.get(id);
  if (found) return found;
  throw new ApiError(404, `There is no such model here. Models: ${[...models.keys()].join(", ")}.`, {
    param: "model",
    code: "model_not_found",
  });
}

/** @throws ApiError 415, 400 */
export async function readJson(context: RequestContext): Promise<unknown> {
  // Pages of other origins may send text without being asked (CORS), but not JSON.
  if (!/^application\/json\s*(;|$)/i.test(context.req.header("content-type") ?? "")) {
    throw new ApiError(415, "The body must be JSON, with the header content-type: application/json.", {
      code: "unsupported_media_type",
    });
  }
  const text = await context.req.text().catch(() => {
    throw badRequest("The body ended too early.");
  });
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest("The body is no JSON.", undefined, "invalid_json");
  }
}
