// After compiling: declarations import each name from the file that declares it, instead of from a folder's index. Only
// the files that a program really uses are then read by its compiler, and TensorFlow.js's own declarations, which do not
// compile without `skipLibCheck`, by none that does not use the folders tensor, model or train. And each index asks for
// the types of Node, which newer compilers load only where they are asked for.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";

const CLAUSE = /(import|export) (type )?\{([^}]*)\} from "(\.[^"]*)";/g;
const INLINE = /import\("(\.[^"]*)"\)\.(\w+)/g;
const NODE_TYPES = '/// <reference types="node" />\n';

const named = (list) =>
  list
    .split(",")
    .map((part) => /^(type )?(\w+)(?: as (\w+))?$/.exec(part.trim()))
    .filter((match) => match !== null)
    .map(([, type = "", name, alias = name]) => ({ type, name, alias }));
const declarationOf = (file, specifier) => resolve(dirname(file), specifier.replace(/\.js$/, ".d.ts"));

function specifierOf(from, to) {
  const path = relative(dirname(from), to)
    .replaceAll("\\", "/")
    .replace(/\.d\.ts$/, ".js");
  return path.startsWith(".") ? path : `./${path}`;
}

/** Rewrite the declarations below a folder of compiled files; doing it again changes nothing. */
export function nameFilesDirectly(dist) {
  const files = readdirSync(dist, { recursive: true })
    .filter((name) => name.endsWith(".d.ts"))
    .map((name) => join(dist, name));
  const texts = new Map(files.map((file) => [file, readFileSync(file, "utf8")]));
  const indexes = files.filter((file) => basename(file) === "index.d.ts" && dirname(file) !== resolve(dist));
  const homes = new Map(indexes.map((file) => [file, homesIn(file, texts.get(file))]));

  /** Where a name is declared, through as many indexes as there are. */
  const homeOf = (file, name) => {
    const home = homes.get(file)?.get(name);
    return home === undefined ? undefined : (homeOf(home.file, home.name) ?? home);
  };
  for (const [file, text] of texts) {
    const direct = homes.has(file)
      ? text
      : text
          .replace(CLAUSE, (_, kind, type = "", list, specifier) =>
            named(list)
              .map(({ type: own, name, alias }) => {
                const home = homeOf(declarationOf(file, specifier), name) ?? {
                  file: declarationOf(file, specifier),
                  name,
                };
                const rename = home.name === alias ? alias : `${home.name} as ${alias}`;
                return `${kind} ${type}{ ${own}${rename} } from "${specifierOf(file, home.file)}";`;
              })
              .join("\n"),
          )
          .replace(INLINE, (all, specifier, name) => {
            const home = homeOf(declarationOf(file, specifier), name);
            return home === undefined ? all : `import("${specifierOf(file, home.file)}").${home.name}`;
          });
    const isIndex = basename(file) === "index.d.ts";
    const whole = isIndex && !direct.startsWith(NODE_TYPES) ? NODE_TYPES + direct : direct;
    if (whole !== text) writeFileSync(file, whole);
  }
}

function homesIn(index, text) {
  const homes = new Map();
  for (const [, , , list, specifier] of text.matchAll(CLAUSE)) {
    for (const { name, alias } of named(list)) homes.set(alias, { file: declarationOf(index, specifier), name });
  }
  return homes;
}
