import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { routePath } from "hono/route";
import { ApiError, errorBody, toApiError } from "./api-error.js";
import { chatCompletions } from "./chat.js";
import { completions } from "./completions.js";
import { type Environment, modelOf, type RequestContext, type Service } from "./context.js";
import { checkHost, checkKey } from "./guard.js";
import { accountOf, noteRefusal } from "./request-log.js";
import { noSuchRoute, ROUTES } from "./routes.js";
import type { ServedModel } from "./served-model.js";
import { detokenize, tokenize, tokenizerInfo } from "./tokenize.js";

/** The routes of the server. */
export function createApp(service: Service): Hono<Environment> {
  const { options } = service;
  const app = new Hono<Environment>();
  app.use(async (context, next) => {
    const id = randomUUID().replaceAll("-", "");
    const account = accountOf(context.env.outgoing);
    account.route = () => routePath(context, -1);
    context.set("id", id);
    context.set("account", account);
    context.header("x-request-id", id);
    await next();
  });
  app.use(checkHost(options));
  app.get(ROUTES.health, (context) => context.body(null, 200));
  app.use(checkKey(options));
  app.get(ROUTES.models, (context) =>
    context.json({ object: "list", data: [...service.models.values()].map(modelCard) }),
  );
  app.get(ROUTES.model, (context) => {
    const { path } = context.req;
    if (path.endsWith("/")) throw noSuchRoute(path, originOf(context));
    return context.json(modelCard(modelOf(service, context.req.param("id"))));
  });
  app.post(ROUTES.chat, (context) => chatCompletions(context, service));
  app.post(ROUTES.completions, (context) => completions(context, service));
  app.post(ROUTES.tokenize, (context) => tokenize(context, service));
  app.post(ROUTES.detokenize, (context) => detokenize(context, service));
  app.get(ROUTES.tokenizerInfo, (context) => tokenizerInfo(context, service));
  for (const { path, method } of [...app.routes]) {
    if (method === "GET" || method === "POST") app.all(path, (context) => answerMethod(context, method));
  }
  app.notFound((context) => tell(context, noSuchRoute(context.req.path, originOf(context))));
  app.onError((error, context) => {
    const told = toApiError(error);
    if (told.status === 500) service.fault(error);
    return tell(context, told);
  });
  return app;
}

function tell(context: RequestContext, error: ApiError): Response {
  noteRefusal(context.get("account"), error);
  for (const [name, value] of Object.entries(error.headers)) context.header(name, value);
  // 499 is nginx's; nobody reads it.
  return context.json(errorBody(error), error.status as 400);
}

const originOf = (context: RequestContext): string => new URL(context.req.url).origin;

/** Other methods than the route's own. No other origin is let in (CORS). */
function answerMethod(context: RequestContext, method: "GET" | "POST"): Response {
  const allow = method === "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
  if (context.req.method === "OPTIONS") return context.body(null, 204, { allow });
  throw new ApiError(405, `This route takes ${method} only.`, { code: "method_not_allowed", headers: { allow } });
}

/** `max_model_len` is vLLM's, `meta` llama.cpp's; `hash` lets clients recognise the model. */
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
