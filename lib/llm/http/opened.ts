import type { LimitFunction } from "p-limit";
import type { AnswerCache } from "./cache.js";
import type { Line } from "./send.js";
import type { HttpServer } from "./server.js";

/** State shared by all work on a model. */
export interface Opened {
  server: HttpServer;
  line: Line;
  limit: LimitFunction;
  concurrency: number;
  cache: AnswerCache | undefined;
  cacheSampled: boolean;
}
