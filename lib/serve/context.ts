import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { ActiveRequests } from "./active-requests.js";
import { ApiError } from "./api-error.js";
import type { ResolvedOptions } from "./options.js";
import type { Account } from "./request-log.js";
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
