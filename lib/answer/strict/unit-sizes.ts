/** A unit as a product of powers: km/h is km^1 h^-1, in the order of the names. */
export interface Unit {
  /** The names of one unit each; a word such as "pound" may be one of several. */
  factors: readonly { names: readonly string[]; power: number }[];
}

// A row for each unit; the first word is its name. Words in one row mean the same, whatever their number.
const TABLE = `
nm nanometer nanometre | mm millimeter millimetre | cm centimeter centimetre | dm decimeter decimetre | m meter metre |
km kilometer kilometre | in inch | ft foot | yd yard | mi mile | mg milligram | g gram gramme gm | kg kilogram kilo kilogramme |
t tonne | ton | lb lbs pound | oz ounce | ms millisecond | s sec second | min minute | h hr hour | day | wk week fortnight- |
month | yr year | decade | century | ml mL milliliter millilitre cc- | cl cL centiliter centilitre | dl dL deciliter decilitre |
l L liter litre | kL kl kiloliter kilolitre | gal gallon | qt quart | pint | cup | tbsp tablespoon | tsp teaspoon |
acre | ha hectare | dollar USD buck $ | cent ¢ | euro EUR € | pound GBP £ quid sterling | penny pence | yen JPY ¥ | rupee INR ₹ |
yuan RMB CNY | peso | degree deg ° | rad radian | celsius centigrade °C | fahrenheit °F | kelvin K | bit | byte | KB kB kilobyte |
MB megabyte | GB gigabyte | TB terabyte | Hz hertz | kHz kilohertz | MHz megahertz | W watt | kW kilowatt | kWh | J joule |
kJ kilojoule | N newton | V volt | A amp ampere | ohm Ω | Pa pascal | kPa kilopascal | cal calorie | kcal kilocalorie | mol mole |
rpm | pt point pts | % percent pct percentage | unit`;

const NAMES = new Map<string, string[]>();
for (const row of TABLE.replaceAll("\n", " ").split("|")) {
  const words = row.trim().split(/\s+/);
  for (const word of words.filter((each) => !each.endsWith("-"))) {
    for (const each of [word, ...(word.length > 2 && /^[a-z]+$/.test(word) ? [plural(word)] : [])]) {
      NAMES.set(each, [...(NAMES.get(each) ?? []), words[0]!]);
    }
  }
}
for (const [word, name] of Object.entries({
  feet: "ft",
  inches: "in",
  centuries: "century",
  pennies: "penny",
  mins: "min",
})) {
  NAMES.set(word, [name]);
}
for (const word of ["hrs", "secs", "yrs", "wks"]) NAMES.set(word, NAMES.get(word.slice(0, -1))!);

/** What is one word and two units. */
const COMPOUND: Record<string, string> = {
  mph: "mi/h",
  kph: "km/h",
  kmh: "km/h",
  kmph: "km/h",
  mps: "m/s",
  fps: "ft/s",
  cc: "cm^3",
  sqft: "ft^2",
  sqm: "m^2",
};
const MONEY = new Set(["dollar", "cent", "euro", "pound", "penny", "yen", "rupee", "yuan", "peso"]);
/** Products of variables as well. */
const AMBIGUOUS = new Set(["pt", "kl", "ha", "gm", "Pa"]);
const SINGLE_LETTERS = /^[mghslLtWJNVAKC]$/;
const POWERS: Record<string, number> = { square: 2, sq: 2, squared: 2, cubic: 3, cu: 3, cubed: 3 };
const ATOM = /°\s?[CF](?![a-z])|\p{L}+|[%°¢$€£¥₹]|\^\s?[{(]?\s?-?\s?\d+|[²³/]/gu;

function plural(word: string): string {
  return /(?:ch|sh|s|x|z)$/.test(word) ? `${word}es` : `${word}s`;
}

/** Whether a word names a unit; single letters and the like, which may be variables, only where they are set upright. */
export const isUnitWord = (word: string, upright = false): boolean =>
  word.length === 1 || AMBIGUOUS.has(word)
    ? upright && (word.length > 1 || SINGLE_LETTERS.test(word))
    : names(word) !== undefined || Object.hasOwn(COMPOUND, word);

function names(word: string): readonly string[] | undefined {
  return NAMES.get(word) ?? (word.length > 2 ? NAMES.get(word.toLowerCase()) : undefined);
}

/**
 * The unit that stands in the words after a value ("cm^2", "square inches", "km/h", "miles per hour", "dollars a day").
 * Words that are no units are passed over where there is one; without any, a lone noun in the plural ("apples") counts
 * as a unit. Undefined where the words name none.
 */
export function readUnit(words: string): Unit | undefined {
  const factors: { names: readonly string[]; power: number }[] = [];
  const atoms = words.match(ATOM) ?? [];
  let [sign, power] = [1, 1];
  for (const [at, atom] of atoms.entries()) {
    const last = factors.at(-1);
    const exponent = /^\^\D*?(-?)\s?(\d+)$/.exec(atom) ?? /^([²³])$/.exec(atom);
    if (exponent) {
      const raised = exponent[2] === undefined ? (atom === "²" ? 2 : 3) : Number(`${exponent[1]}${exponent[2]}`);
      if (last) last.power = Math.sign(last.power) * raised;
    } else if (atom === "/" || /^per$/i.test(atom) || (/^(?:an?|each|every)$/i.test(atom) && last)) sign = -1;
    else if (POWERS[atom.toLowerCase()] !== undefined) {
      if (/ed$/i.test(atom) && last) last.power *= POWERS[atom.toLowerCase()]!;
      else power = POWERS[atom.toLowerCase()]!;
    } else {
      // "5 in total" is no length.
      const known =
        /^in$/i.test(atom) && /^\p{L}{3}/u.test(atoms[at + 1] ?? "") ? undefined : names(atom.replace(/\s/g, ""));
      const compound = Object.hasOwn(COMPOUND, atom) ? readUnit(COMPOUND[atom]!) : undefined;
      if (compound) factors.push(...compound.factors.map((each) => ({ ...each, power: each.power * sign })));
      else if (known) factors.push({ names: known, power: sign * power });
      if (known || compound) [sign, power] = [1, 1];
    }
  }
  if (factors.length === 0) {
    const noun = /^\s*(?!times\b)(\p{L}{3,}s)\s*$/iu.exec(words);
    return noun ? { factors: [{ names: [`a ${noun[1]!.toLowerCase()}`], power: 1 }] } : undefined;
  }
  // "20 degrees Celsius": of degrees the scale says all.
  const scales = factors.filter(({ names: [name] }) => name === "celsius" || name === "fahrenheit");
  return { factors: scales.length === 1 ? scales : factors };
}

/**
 * Whether two units may be the same. Money per anything is money, as answers to word problems leave that out; degrees
 * may be of any scale; "units" may be of any length.
 */
export function sameUnit(a: Unit, b: Unit): boolean {
  const [first, second] = [a, b].map(({ factors }) => {
    const [money] = factors.filter(({ names: [name], power }) => MONEY.has(name!) && power === 1);
    return money && factors.length > 1 ? [money] : factors;
  }) as [Unit["factors"], Unit["factors"]];
  if (first.length !== second.length) return false;
  return first.every((factor) => second.some((other) => factor.power === other.power && sameName(factor, other)));
}

const WIDE: Record<string, readonly string[]> = { degree: ["celsius", "fahrenheit", "kelvin"] };

function sameName({ names: a }: Unit["factors"][number], { names: b }: Unit["factors"][number]): boolean {
  if (a[0] === "unit" || b[0] === "unit") return true;
  return a.some(
    (name) => b.includes(name) || b.some((other) => WIDE[name]?.includes(other) || WIDE[other]?.includes(name)),
  );
}

/** Whether it is a noun that is counted rather than a unit. */
export const isCounted = ({ factors: [first] }: Unit): boolean => first!.names[0]!.startsWith("a ");

/** The currency that a text writes before or after its number, if it writes one: $5, \$5, €5, 5 €. */
export function currencyOf(text: string): Unit | undefined {
  const sign = /[€£¥₹¢]/.exec(text)?.[0];
  if (sign !== undefined) return readUnit(sign);
  // Two dollars are mathematics: $5$.
  const dollar =
    /\\\$/.test(text) || (/^\s*[-−]?\s?\$\s?[\d.]/.test(text) && text.indexOf("$") === text.lastIndexOf("$"));
  return dollar ? readUnit("$") : undefined;
}
