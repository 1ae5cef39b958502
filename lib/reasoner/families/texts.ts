import { type Family, family, from, phrase, word, words } from "./family.js";

/** A string backwards, with something before it. */
export const reverseString = (before: string) => ({
  entry: "reverse string",
  parameters: ["text"],
  does: `returns the string backwards${before === "" ? "" : `, with "${before}" before it`}`,
  run: (text: string) => before + [...text].reverse().join(""),
  input: (random: Parameters<Family["draw"]>[0]) => [random.integer(2) ? word(random) : phrase(random)],
  edges: [[""], ["a"]],
  javascript: `function {0}(text) {\n  return "${before}" + [...text].reverse().join("");\n}`,
  python: `def {0}(text):\n    return "${before}" + text[::-1]`,
});

const drawLetter = (random: Parameters<Family["draw"]>[0]) => random.choice([..."aeiorst"]);

/** Families on strings. */
export const TEXT_FAMILIES: readonly Family[] = [
  family("reverse-string", (random) => reverseString(random.choice(["", "<", "re:", "~"]))),
  family("count-letter", (random) => {
    const letter = drawLetter(random);
    return {
      entry: "count letter",
      parameters: ["text"],
      does: `returns how often the letter "${letter}" occurs in the string`,
      run: (text: string) => [...text].filter((each) => each === letter).length,
      input: (r) => [phrase(r)],
      edges: [[""], [letter]],
      javascript: `function {0}(text) {\n  return [...text].filter((each) => each === "${letter}").length;\n}`,
      python: `def {0}(text):\n    return text.count("${letter}")`,
    };
  }),
  family("caesar", (random) => {
    const k = from(random, 1, 12);
    return {
      entry: "shift letters",
      parameters: ["text"],
      does: `returns the string with each letter from a to z moved ${k} places on in the alphabet, from z on to a; other characters stay`,
      run: (text: string) =>
        text.replace(/[a-z]/g, (each) => String.fromCharCode(97 + ((each.charCodeAt(0) - 97 + k) % 26))),
      input: (r) => [phrase(r)],
      edges: [[""], ["xyz"]],
      javascript: `function {0}(text) {\n  return text.replace(/[a-z]/g, (each) => String.fromCharCode(97 + ((each.charCodeAt(0) - 97 + ${k}) % 26)));\n}`,
      python: `def {0}(text):\n    return "".join(chr(97 + (ord(each) - 97 + ${k}) % 26) if "a" <= each <= "z" else each for each in text)`,
    };
  }),
  family("palindrome", (random) => {
    const k = from(random, 1, 4);
    return {
      entry: "is mirrored",
      parameters: ["text"],
      does: `returns true if the string reads the same backwards and has at least ${k} characters, else false`,
      run: (text: string) => text.length >= k && text === [...text].reverse().join(""),
      input(r) {
        const half = word(r, 1, 3);
        return [r.integer(2) ? half + [...half].reverse().slice(r.integer(2)).join("") : word(r, 1, 5)];
      },
      edges: [[""], ["a"], ["abba"]],
      javascript: `function {0}(text) {\n  return text.length >= ${k} && text === [...text].reverse().join("");\n}`,
      python: `def {0}(text):\n    return len(text) >= ${k} and text == text[::-1]`,
    };
  }),
  family("capitalise", (random) => {
    const k = from(random, 1, 4);
    return {
      entry: "capitalise words",
      parameters: ["text"],
      does: `returns the string with the first letter of each word of at least ${k} letters in upper case; words are separated by single spaces`,
      run: (text: string) =>
        text
          .split(" ")
          .map((each) => (each.length >= k ? each.slice(0, 1).toUpperCase() + each.slice(1) : each))
          .join(" "),
      input: (r) => [
        words(r, 1, 5)
          .map((each) => each.slice(0, from(r, 1, 7)))
          .join(" "),
      ],
      edges: [[""], ["a bc def ghij"]],
      javascript: `function {0}(text) {\n  return text.split(" ").map((each) => (each.length >= ${k} ? each.slice(0, 1).toUpperCase() + each.slice(1) : each)).join(" ");\n}`,
      python: `def {0}(text):\n    return " ".join(each[:1].upper() + each[1:] if len(each) >= ${k} else each for each in text.split(" "))`,
    };
  }),
  family("acronym", (random) => {
    const joint = random.choice(["", ".", "-"]);
    return {
      entry: "acronym",
      parameters: ["text"],
      does: `returns the first letters of the words of the string in upper case, ${joint === "" ? "joined" : `joined by "${joint}"`}; words are separated by single spaces`,
      run: (text: string) =>
        text
          .split(" ")
          .map((each) => each.slice(0, 1).toUpperCase())
          .join(joint),
      input: (r) => [phrase(r)],
      edges: [["as soon as possible"]],
      javascript: `function {0}(text) {\n  return text.split(" ").map((each) => each.slice(0, 1).toUpperCase()).join("${joint}");\n}`,
      python: `def {0}(text):\n    return "${joint}".join(each[:1].upper() for each in text.split(" "))`,
    };
  }),
  family("remove-letters", (random) => {
    const [a, b] = random.sample([..."aeiou"], 2) as [string, string];
    return {
      entry: "remove letters",
      parameters: ["text"],
      does: `returns the string without the letters "${a}" and "${b}"`,
      run: (text: string) => [...text].filter((each) => each !== a && each !== b).join(""),
      input: (r) => [phrase(r)],
      edges: [[""], [a + b]],
      javascript: `function {0}(text) {\n  return [...text].filter((each) => each !== "${a}" && each !== "${b}").join("");\n}`,
      python: `def {0}(text):\n    return "".join(each for each in text if each not in ("${a}", "${b}"))`,
    };
  }),
  family("repeat", (random) => {
    const k = from(random, 2, 4);
    const joint = random.choice(["-", "+", "/"]);
    return {
      entry: "repeat text",
      parameters: ["text"],
      does: `returns the string ${k} times, joined by "${joint}"`,
      run: (text: string) => Array(k).fill(text).join(joint),
      input: (r) => [word(r)],
      edges: [[""]],
      javascript: `function {0}(text) {\n  return Array(${k}).fill(text).join("${joint}");\n}`,
      python: `def {0}(text):\n    return "${joint}".join([text] * ${k})`,
    };
  }),
  family("run-length", (random) => {
    const joint = random.choice(["", ":"]);
    return {
      entry: "encode runs",
      parameters: ["text"],
      does: `returns the string with each run of equal characters written as the character, ${joint === "" ? "" : `"${joint}" `}and the length of the run: "aab" gives "a${joint}2b${joint}1"`,
      run: (text: string) => text.replace(/(.)\1*/g, (run, each) => `${each}${joint}${run.length}`),
      input: (r) => [Array.from({ length: from(r, 1, 4) }, () => "abcd"[r.integer(4)]!.repeat(from(r, 1, 4))).join("")],
      edges: [[""], ["aab"]],
      javascript: `function {0}(text) {\n  return text.replace(/(.)\\1*/g, (run, each) => each + "${joint}" + run.length);\n}`,
      python: `def {0}(text):\n    parts = []\n    at = 0\n    while at < len(text):\n        end = at\n        while end < len(text) and text[end] == text[at]:\n            end += 1\n        parts.append(text[at] + "${joint}" + str(end - at))\n        at = end\n    return "".join(parts)`,
    };
  }),
  family("longest-word", (random) => {
    const isFirst = random.integer(2) === 1;
    return {
      entry: "longest word",
      parameters: ["words"],
      does: `returns the longest of the words, the ${isFirst ? "first" : "last"} one among equally long ones; an empty string if there are none`,
      run: (list: readonly string[]) =>
        list.reduce(
          (best, each) => ((isFirst ? each.length > best.length : each.length >= best.length) ? each : best),
          "",
        ),
      input: (r) => [words(r, 1, 6)],
      edges: [[[]], [["ab", "cd"]]],
      javascript: `function {0}(words) {\n  return words.reduce((best, each) => (each.length ${isFirst ? ">" : ">="} best.length ? each : best), "");\n}`,
      python: `def {0}(words):\n    best = ""\n    for each in words:\n        if len(each) ${isFirst ? ">" : ">="} len(best):\n            best = each\n    return best`,
    };
  }),
  family("words-with", (random) => {
    const letter = drawLetter(random);
    return {
      entry: "words with letter",
      parameters: ["words"],
      does: `returns the list of the words that contain the letter "${letter}", in their order`,
      run: (list: readonly string[]) => list.filter((each) => each.includes(letter)),
      input: (r) => [words(r, 2, 6)],
      edges: [[[]], [[letter]]],
      javascript: `function {0}(words) {\n  return words.filter((each) => each.includes("${letter}"));\n}`,
      python: `def {0}(words):\n    return [each for each in words if "${letter}" in each]`,
    };
  }),
  family("middle", (random) => {
    const k = from(random, 1, 3);
    return {
      entry: "cut ends",
      parameters: ["text"],
      does: `returns the string without its first ${k} and its last ${k} characters; an empty string if fewer than ${2 * k} are there`,
      run: (text: string) => (text.length < 2 * k ? "" : text.slice(k, text.length - k)),
      input: (r) => [word(r, 1, 10)],
      edges: [[""], ["a"]],
      javascript: `function {0}(text) {\n  return text.length < ${2 * k} ? "" : text.slice(${k}, text.length - ${k});\n}`,
      python: `def {0}(text):\n    return "" if len(text) < ${2 * k} else text[${k}:len(text) - ${k}]`,
    };
  }),
];
