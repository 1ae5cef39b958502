import { ThoughtbookError } from "../core/index.js";

export interface ApiErrorDetails {
  /** What kind of error it is, in OpenAI's words. Default: "invalid_request_error". */
  type?: string;
  /** The parameter it is about. */
  param?: string | undefined;
  code?: string | undefined;
  headers?: Readonly<Record<string, string>>;
}

/** An error that is sent to the client. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly type: string;
  readonly param: string | undefined;
  readonly code: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, details: ApiErrorDetails = {}) {
    super(message);
    const { type = "invalid_request_error", param, code, headers = {} } = details;
    this.status = status;
    this.type = type;
    this.param = param;
    this.code = code;
    this.headers = headers;
  }
}

/** A request that cannot be served as it is: status 400. */
export function badRequest(message: string, param?: string, code = "invalid_value"): ApiError {
  return new ApiError(400, message, { param, code });
}

/** In OpenAI's format. */
export function errorBody({ message, type, param, code }: ApiError): object {
  return { error: { message, type, param: param ?? null, code: code ?? null } };
}

/** What a client may know of an error: why its request is wrong, but nothing of faults in here. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ThoughtbookError) {
    if (error.cause instanceof ApiError) return error.cause;
    if (error.code === "bad-input") return badRequest(`${error.message}.${error.hint ? ` ${error.hint}` : ""}`);
  }
  return new ApiError(500, "The server failed to do this; its log tells more.", {
    type: "server_error",
    code: "internal_error",
  });
}
