// Writes the supergraph that a composer on npm makes from a folder of subgraph schemas (NAME.graphql).
//
//   node compose.mjs --engine apollo|theguild --out FILE [--url 'http://{name}/graphql'] FOLDER

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { engines } from "./engines.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: "string" },
    out: { type: "string" },
    url: { type: "string", default: "http://{name}/graphql" },
  },
});
const engine = engines[values.engine];
if (!engine || !values.out || positionals.length !== 1) {
  console.error("usage: node compose.mjs --engine apollo|theguild --out FILE [--url URL-WITH-{name}] FOLDER");
  process.exit(2);
}
const [folder] = positionals;
const files = readdirSync(folder).filter((file) => file.endsWith(".graphql"));
const subgraphs = files.sort().map((file) => {
  const name = basename(file, ".graphql");
  return { name, url: values.url.replaceAll("{name}", name), sdl: readFileSync(join(folder, file), "utf8") };
});
const { supergraph, errors } = engine.compose(subgraphs);
if (errors.length > 0) {
  for (const error of errors) console.error(`${error.extensions?.code}: ${error.message}`);
  process.exit(1);
}
writeFileSync(values.out, supergraph);
