import type { Pass } from "./index.js";
export const mergeScalars: Pass = (graph) => graph;
