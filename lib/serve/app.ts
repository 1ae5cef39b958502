import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { routePath } from "hono/route";
import { ApiError, errorBody, toApiError } from "./api-error.js";
import { chatCompletions } from "./chat.js";
import { completions } from "./completions.js";
import { type Environment, modelOf, type RequestContext, type Service } from "./context.js";
import { checkHost, checkKey } from "./guard.js";
import type { ServedModel } from "./served-model.js";
import { detokenize, tokenize } from "./tokenize.js";

/** The routes of the server. */
export function createApp(service: Service): Hono<Environment> {
  const { options } = service;
  const app = new Hono<Environment>();
  app.use(async (context, next) => {
    const id = randomUUID().replaceAll("-", "");
    context.set("id", id);
    context.set("account", { promptTokens: 0, completionTokens: 0 });
    context.header("x-request-id", id);
    recordEnd(context, service);
    await next();
  });
  app.use(checkHost(options));
  app.get("/health", (context) => context.body(null, 200));
  app.use(checkKey(options));
  app.use(
    bodyLimit({
      maxSize: options.bodyLimit,
      onError: () => {
        throw new ApiError(413, `The request is larger than ${options.bodyLimit} bytes.`, {
          code: "request_too_large",
          headers: { connection: "close" },
        });
      },
    }),
  );
  app.get("/v1/models", (context) =>
    context.json({ object: "list", data: [...service.models.values()].map(modelCard) }),
  );
  // Names may have slashes.
  app.get("/v1/models/:id{.+}", (context) => context.json(modelCard(modelOf(service, context.req.param("id")))));
  app.post("/v1/chat/completions", (context) => chatCompletions(context, service));
  app.post("/v1/completions", (context) => completions(context, service));
  app.post("/tokenize", (context) => tokenize(context, service));
  app.post("/detokenize", (context) => detokenize(context, service));
  for (const { path, method } of [...app.routes]) {
    if (method === "GET" || method === "POST") app.all(path, () => refuseMethod(method));
  }
  app.notFound((context) => tell(context, new ApiError(404, "There is no such route here.", { code: "not_found" })));
  app.onError((error, context) => {
    const told = toApiError(error);
    if (told.status === 500) service.fault(error);
    return tell(context, told);
  });
  return app;
}

function tell(context: RequestContext, error: ApiError): Response {
  for (const [name, value] of Object.entries(error.headers)) context.header(name, value);
  // 499 is nginx's; nobody reads it.
  return context.json(errorBody(error), error.status as 400);
}

function refuseMethod(method: string): never {
  throw new ApiError(405, `This route takes ${method} only.`, {
    code: "method_not_allowed",
    headers: { allow: method },
  });
}

/** Of vLLM `max_model_len`, of llama.cpp `meta`; `hash` tells clients whether it is the same model as before. */
function modelCard({ id, model, created, hash }: ServedModel): object {
  return {
    id,
    object: "model",
    created,
    owned_by: "thoughtbook",
    root: id,
    parent: null,
    max_model_len: model.config.maxPositions,
    meta: { n_params: model.parameterCount },
    hash: hash ?? null,
  };
}

/** Tell of a request when its answer has been sent, or its connection has ended. */
function recordEnd(context: RequestContext, { options }: Service): void {
  const { onRequest } = options;
  if (!onRequest) return;
  const start = performance.now();
  const { outgoing } = context.env;
  const account = context.get("account");
  const { method } = context.req;
  outgoing.once("close", () => {
    const { model, promptTokens, completionTokens } = account;
    const route = routePath(context, -1);
    onRequest({
      method,
      route: route === "/*" ? "no such route" : route,
      status: outgoing.statusCode,
      aborted: !outgoing.writableFinished,
      milliseconds: performance.now() - start,
      model,
      promptTokens,
      completionTokens,
    });
  });
}
