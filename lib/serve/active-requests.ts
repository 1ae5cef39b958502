import { ApiError } from "./api-error.js";

/** A request whose answer is being made. */
export interface ActiveRequest {
  /** Aborted, with an ApiError as its reason, when the answer is not wanted any more or cannot come in time. */
  readonly signal: AbortSignal;
  abort(reason: ApiError): void;
  /** Tell that the answer is complete. */
  end(): void;
}

/** All requests in progress. */
export interface ActiveRequests {
  readonly count: number;
  /** @throws ApiError 503 when the server is being closed */
  begin(timeout: number): ActiveRequest;
  /** Take no more requests; resolves when the last one has ended. */
  drain(): Promise<void>;
  /** End all of them now. */
  abort(): void;
}

export function createActiveRequests(): ActiveRequests {
  const active = new Set<ActiveRequest>();
  let closing = false;
  let drained = () => {};
  const empty = new Promise<void>((resolve) => {
    drained = resolve;
  });
  return {
    get count() {
      return active.size;
    },
    begin(timeout) {
      if (closing) throw shuttingDown();
      const controller = new AbortController();
      const timer = setTimeout(() => request.abort(tooSlow(timeout)), timeout);
      const request: ActiveRequest = {
        signal: controller.signal,
        abort: (reason) => controller.abort(reason),
        end() {
          clearTimeout(timer);
          active.delete(request);
          if (closing && active.size === 0) drained();
        },
      };
      active.add(request);
      return request;
    },
    drain() {
      closing = true;
      if (active.size === 0) drained();
      return empty;
    },
    abort() {
      for (const request of active) request.abort(shuttingDown());
    },
  };
}

const shuttingDown = () =>
  new ApiError(503, "The server is shutting down.", {
    type: "server_error",
    code: "shutting_down",
    headers: { "retry-after": "5", connection: "close" },
  });

const tooSlow = (timeout: number) =>
  new ApiError(504, `The answer took longer than ${timeout / 1000} s.`, { type: "server_error", code: "timeout" });

/** The reason for ending work for a client that is not there any more; nobody reads it. */
export const clientGone = () => new ApiError(499, "The client closed the connection.", { code: "client_closed" });
