import { createRandom, type Random } from "thoughtbook/core";
import { problems, solved } from "../texts.js";

/** First and last code points of scripts, signs and pictures. */
const SCRIPTS: readonly (readonly [number, number])[] = [
  [0x21, 0x7e],
  [0xa1, 0x17f],
  [0x300, 0x36f],
  [0x370, 0x3ff],
  [0x400, 0x4ff],
  [0x590, 0x5ff],
  [0x620, 0x6ff],
  [0x900, 0x97f],
  [0xe01, 0xe5b],
  [0x2000, 0x206f],
  [0x20a0, 0x20bf],
  [0x2150, 0x22ff],
  [0x2460, 0x24ff],
  [0x3041, 0x30ff],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3],
  [0xff01, 0xff9f],
  [0x1d400, 0x1d7ff],
  [0x1f300, 0x1faff],
];
const BLANKS = [" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n", "\n  ", "\u00a0", "\u3000", "\u2028", ""];
const PIECES = [
  ..."'s 't 're 've 'm 'll 'd 'S 'LL don’t it's I'M".split(" "),
  ..."## ``` $x^2$ \\frac{1}{2} <b> </think> != === => -> … — \"\" '' () [] {} // /* */ #include def return;".split(
    " ",
  ),
  ..."camelCase snake_case HTTPServer x2 3rd 1st v1.2.3 a@b.c https://a.b/c?d=e&f=1#g".split(" "),
  ..."e\u0301 \u00e9 ﬁ Å ｆｕｌｌ ½ ² 👩‍👩‍👧 🇩🇪 👍🏽 \u200b \u200d \ufeff".split(" "),
];

/** Texts on which tokenizers tend to differ: problems with solutions, numbers, code, blanks and all scripts, mixed. */
export function oddTexts(count: number, seed: string): string[] {
  const plain = problems(Math.ceil(count / 4), `${seed}/texts`).map(solved);
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    if (i % 4 === 0) return plain[i / 4]!;
    const words = plain[random.integer(plain.length)]!.split(" ");
    const length = 1 + random.integer(24);
    return Array.from({ length }, () => piece(random, words) + BLANKS[random.integer(BLANKS.length)]!).join("");
  });
}

function piece(random: Random, words: readonly string[]): string {
  switch (random.integer(5)) {
    case 0:
      return PIECES[random.integer(PIECES.length)]!;
    case 1:
      return String(random.integer(10 ** (1 + random.integer(9))));
    case 2: {
      const [first, last] = SCRIPTS[random.integer(SCRIPTS.length)]!;
      const points = Array.from({ length: 1 + random.integer(6) }, () => first + random.integer(last - first + 1));
      return String.fromCodePoint(...points);
    }
    case 3: {
      const word = words[random.integer(words.length)]!;
      return random.integer(2) === 0 ? word.toUpperCase() : word;
    }
    default:
      return words[random.integer(words.length)]!;
  }
}
