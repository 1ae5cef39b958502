export { type Estimate, mean, meansBy, type Points, proportion, shares } from "./intervals.js";
export { type OperationQuality, type OperationQualityOptions, operationQuality } from "./operation-quality.js";
