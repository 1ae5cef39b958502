import { servePeer } from "../../bench/shared/serve.js";

/** A peer that does what it is asked, also badly. */
await servePeer({
  double: ({ number }) => ({ number: 2 * Number(number) }),
  print({ text }) {
    console.log(text);
    return { printed: true };
  },
  noise() {
    process.stdout.write('a line\n{"not": "a reply"}\n{broken\n');
    return { made: true };
  },
  fail() {
    throw new Error("the peer's reason");
  },
  crash() {
    console.error("last words");
    process.exit(3);
  },
  hang: () => new Promise(() => setInterval(() => {}, 1000)),
});
