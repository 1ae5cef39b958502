import { badInput } from "../../core/index.js";
import { NOUN_KINDS, type NounKind, plural, thirdPerson, VERBS_THAT_KEEP } from "./english.js";

/** What a scenario counts: a noun and the verb that says who has to do with it ("picks apples", "earns $"). */
export interface Unit {
  kind: NounKind;
  /** "pick" */
  verb: string;
  /** "picks" */
  verbs: string;
  /** "apple"; "dollar" for money. */
  one: string;
  /** "apples"; "money" for money. */
  many: string;
  /** The scenario counts this noun with no other verb: "Ana's apples" are the apples that Ana picks. */
  alone: boolean;
  /** Whether the actor has the things afterwards and can share them. */
  shareable: boolean;
  /** No other scenario has this verb with this noun: it identifies the scenario. */
  own: boolean;
}

export interface Scenario {
  name: string;
  /** Where it happens: "at the lake", "in the orchard". */
  place: string;
  /** Who acts: people by name, or "the red team", "the blue team", … */
  holders: readonly string[];
  /** What several of them are called: "friends", "teams". */
  holderPlural: string;
  units: readonly Unit[];
}

// biome-ignore format: a table
const PEOPLE = [
  "Ana", "Ben", "Cora", "Dan", "Eva", "Finn", "Gina", "Hugo", "Ivy", "Jack", "Kim", "Leo",
  "Mia", "Noah", "Olga", "Paul", "Rosa", "Sam", "Tina", "Uma", "Vera", "Walt", "Yara", "Zoe",
];

// biome-ignore format: a table
const ADJECTIVES = [
  "red", "blue", "green", "white", "black", "yellow", "brown", "pink", "gold", "silver", "old", "new",
  "big", "small", "north", "south", "east", "west", "upper", "lower", "river", "hill", "city", "lake",
];

/** Name, who acts ("people" or the noun of a group), and what they do. */
const TABLE: readonly (readonly [name: string, holders: string, units: string])[] = [
  ["orchard", "people", "pick apple, pick pear, fill basket, carry crate, earn $, work hour"],
  ["bakery", "people", "bake cake, bake roll, fill tray, sell cookie, earn $, work hour"],
  ["library", "people", "read book, read page, sort card, fill shelf, save $, work hour"],
  ["beach", "people", "find shell, collect stone, fill bucket, run lap, spend $"],
  ["garden", "people", "plant rose, plant seed, carry pot, cut flower, spend $, work minute"],
  ["farm", "farm", "collect egg, plant tree, sell nut, load cart, earn $"],
  ["school", "class", "paint picture, paint poster, read page, fill box, raise $"],
  ["workshop", "people", "build robot, paint doll, make ring, pack box, earn $, work hour"],
  ["market", "shop", "sell lemon, sell egg, order crate, buy bag, spend $"],
  ["kitchen", "people", "bake egg, cut pear, fill jar, wash plate, work minute"],
  ["lake", "people", "catch fish, find stone, carry bucket, run mile, earn $"],
  ["stadium", "team", "score goal, win game, sell ticket, wash shirt, raise $, work hour"],
  ["museum", "people", "make photo, paint card, print poster, fill album, spend $"],
  ["post office", "people", "send letter, sell stamp, carry card, load bag, earn $, work hour"],
  ["harbor", "ship", "load crate, carry bag, send box, buy fish, earn $"],
  ["town", "factory", "make lamp, make clock, pack crate, order box, earn $, work day"],
  ["forest", "people", "plant tree, find nut, pick flower, carry basket, walk mile"],
  ["park", "people", "walk lap, feed bird, lose ball, buy cup, spend $, work minute"],
  ["zoo", "people", "feed fish, wash bowl, clean room, buy ticket, spend $"],
  ["fair", "people", "win toy, win ticket, sell cup, play game, spend $"],
  ["office", "people", "print page, write letter, sort letter, fill bag, earn $, work minute"],
  ["hat club", "people", "make hat, make sock, make shirt, sort button, save $, work hour"],
  ["flower shop", "people", "cut rose, sell flower, fill pot, order plant, earn $"],
  ["hotel", "hotel", "clean window, buy plate, wash cup, order lamp, earn $"],
  ["camp", "group", "bake apple, collect nut, build cart, walk mile, raise $"],
  ["theater", "club", "play song, sell poster, print ticket, paint board, raise $, work day"],
  ["toy shop", "people", "sell doll, sell ball, pack bag, order robot, earn $, work day"],
  ["street", "people", "wash car, clean car, wash window, carry letter, save $"],
  ["pizza shop", "people", "bake pizza, cut pizza, fill cup, sell pizza, earn $, work hour"],
  ["bridge", "crew", "use brick, cut board, paint board, load box, earn $, work day"],
  ["mill", "people", "make bowl, make cup, paint plate, load shelf, earn $, work minute"],
  ["candle shop", "people", "make candle, sell candle, pack tray, order jar, earn $"],
  ["fish market", "boat", "sell fish, clean fish, fill crate, order bucket, earn $"],
  ["bead shop", "people", "buy bead, sort bead, sell ring, fill bowl, spend $"],
  ["card club", "people", "collect card, buy card, win card, lose card, spend $"],
  ["coin club", "people", "collect coin, find coin, win coin, sort coin, spend $"],
  ["music room", "people", "write song, print song, clean cup, order album, save $"],
  ["book shop", "shop", "sell book, order book, print card, pack shelf, earn $"],
  ["fruit shop", "people", "sell apple, sell pear, wash lemon, pack basket, earn $"],
  ["print shop", "shop", "print photo, print book, send poster, pack album, earn $"],
  ["plant shop", "people", "sell plant, feed plant, sell tree, load tray, earn $, work day"],
  ["barn", "people", "wash horse, feed horse, load basket, clean bucket, save $"],
  ["nut farm", "people", "pick nut, wash nut, pack jar, send bag, earn $, work day"],
];

/** Where it is not "at". */
const PREPOSITIONS = new Map([
  ...["orchard", "garden", "kitchen", "forest", "town", "park", "office", "music room", "barn", "library"].map(
    (name) => [name, "in"] as const,
  ),
  ["street", "on"] as const,
  ["bridge", "on"] as const,
]);

const TIMES_USED = new Map<string, number>();
for (const [, , units] of TABLE) {
  for (const unit of units.split(", ")) TIMES_USED.set(unit, (TIMES_USED.get(unit) ?? 0) + 1);
}

function unitOf(text: string, _: number, all: readonly string[]): Unit {
  const [verb = "", noun = ""] = text.split(" ");
  const alone = all.filter((other) => other.endsWith(` ${noun}`)).length === 1;
  const money = noun === "$";
  const kind = money ? "money" : (NOUN_KINDS.get(noun) ?? "thing");
  return {
    kind,
    verb,
    verbs: thirdPerson(verb),
    one: money ? "dollar" : noun,
    many: money ? "money" : plural(noun),
    alone,
    shareable: alone && kind !== "act" && kind !== "time" && VERBS_THAT_KEEP.has(verb),
    own: !money && kind !== "time" && TIMES_USED.get(text) === 1,
  };
}

/**
 * Where the problems happen. Nouns, verbs and names come from shared pools, so that all words together are a few
 * hundred; a verb with its noun tells the scenario apart from all others ("picks apples", "sells apples").
 */
export const SCENARIOS: readonly Scenario[] = TABLE.map(([name, holders, units]) => ({
  name,
  place: `${PREPOSITIONS.get(name) ?? "at"} the ${name}`,
  holders: holders === "people" ? PEOPLE : ADJECTIVES.map((adjective) => `the ${adjective} ${holders}`),
  holderPlural: holders === "people" ? "friends" : plural(holders),
  units: units.split(", ").map(unitOf),
}));

const BY_NAME = new Map(SCENARIOS.map((scenario) => [scenario.name, scenario]));

/** @throws bad-input if there is none of this name */
export function scenarioNamed(name: string): Scenario {
  const scenario = BY_NAME.get(name);
  if (scenario) return scenario;
  throw badInput(`no scenario is called "${name}"`, `Some that are: ${[...BY_NAME.keys()].slice(0, 5).join(", ")}.`);
}
