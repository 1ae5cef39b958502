import type { LimitFunction } from "p-limit";
import type { AnswerCache } from "./cache.js";
import type { Line } from "./send.js";
import type { HttpServer } from "./server.js";

/** What the work on a model shares. */
export interface Opened {
  server: HttpServer;
  line: Line;
  limit: LimitFunction;
  concurrency: number;
  cache: AnswerCache | undefined;
  cacheSampled: boolean;
}
