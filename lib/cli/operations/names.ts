import { badInput, didYouMean } from "../../core/index.js";
import { ANNOTATED, type AnnotatedOperation } from "../../eval/index.js";
import { OPERATION_NAMES, type OperationName } from "../../operations/index.js";

/** Operations by their names; all without any. Throws bad-input for another name. */
export const operationNames = (given: readonly string[] | undefined): readonly OperationName[] =>
  named(given, OPERATION_NAMES);

/** As {@link operationNames}, of those that GSM8K's annotated solutions tell something of. */
export const annotatedNames = (given: readonly string[] | undefined): readonly AnnotatedOperation[] =>
  named(given, ANNOTATED);

function named<Name extends string>(given: readonly string[] | undefined, known: readonly Name[]): readonly Name[] {
  return (
    given?.map((name) => {
      const found = known.find((each) => each === name.trim());
      if (found !== undefined) return found;
      throw badInput(
        `there is no operation ${JSON.stringify(name)} here`,
        `${didYouMean(name, known)}Choose among ${known.join(", ")}.`,
      );
    }) ?? known
  );
}
