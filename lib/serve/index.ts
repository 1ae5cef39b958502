export type { RequestRecord, ServeOptions } from "./options.js";
export { type Server, startServer } from "./server.js";
