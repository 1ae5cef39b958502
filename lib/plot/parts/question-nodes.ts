import { formatExpression, formatRational } from "../../answer/index.js";
import type { QuestionGraph } from "../../graph/index.js";
import type { QuestionNode } from "./question-boxes.js";

/**
 * The sub-questions of a graph as `drawQuestionGraph` takes them, each with its equation: numbers of other
 * sub-questions stand as [1], [2], …
 */
export const questionNodes = ({ nodes }: QuestionGraph): QuestionNode[] =>
  nodes.map(({ question, expression, value, dependsOn }) => {
    const sides = [...(expression ? [formatExpression(expression)] : []), ...(value ? [formatRational(value)] : [])];
    return { label: question, depends: dependsOn, ...(sides.length > 0 ? { detail: sides.join(" = ") } : {}) };
  });
