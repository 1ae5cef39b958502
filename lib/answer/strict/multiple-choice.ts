/**
 * The letter of a multiple-choice answer, lower case: "(A)", "A", "a", "A)" and "A." are "a"; undefined for anything
 * else. The policies of the papers read choices so.
 */
export function choiceLetter(answer: string): string | undefined {
  return /^\(?([a-z])[).]?$/.exec(answer.trim().toLowerCase())?.[1];
}

/** Whether two answers name the same choice, ignoring parentheses and case; what is no letter equals nothing. */
export function equalChoice(a: string, b: string): boolean {
  const letter = choiceLetter(a);
  return letter !== undefined && letter === choiceLetter(b);
}

/** Whether two answers both say yes or both say no ("true" and "false" count as well); anything else equals nothing. */
export function equalYesNo(a: string, b: string): boolean {
  const said = yesNo(a);
  return said !== undefined && said === yesNo(b);
}

function yesNo(answer: string): boolean | undefined {
  const word = /^\W{0,10}(yes|no|true|false)\W{0,10}$/.exec(answer.toLowerCase())?.[1];
  return word === undefined ? undefined : word === "yes" || word === "true";
}
