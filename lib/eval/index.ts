export { type Estimate, mean, meansBy, type Points, proportion, shares } from "./intervals.js";
