export { type Estimate, mean, proportion } from "./intervals.js";
