import { PYTHON_DOORS } from "./python-doors.js";
import { PYTHON_JUDGE } from "./python-judge.js";
import { PYTHON_RUNNING } from "./python-running.js";
import { PYTHON_VALUES } from "./python-values.js";

/**
 * Python that runs once, when the interpreter starts. It gives `run` and `call`, where tests run also `judge`; each takes
 * and gives JSON. What programs do to it is undone with the rest of the interpreter's memory.
 */
export const pythonDriver = (judges: boolean): string =>
  [PYTHON_DOORS, PYTHON_VALUES, PYTHON_RUNNING, ...(judges ? [PYTHON_JUDGE] : []), "close_doors()"].join("\n");
