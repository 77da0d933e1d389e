// Reads cases as JSON from stdin and answers what the composers on npm make of them:
// [{ subgraphs: [{ name, url, sdl }], ours: { supergraph, api } | null }]
//   → [{ apollo: { codes, differences }, theguild: { codes, differences } }]

import { readFileSync } from "node:fs";
import { engines, sorted } from "./engines.mjs";

const judge = (engine, { subgraphs, ours }) => {
  try {
    const { supergraph, errors } = engine.compose(subgraphs);
    const codes = [...new Set(errors.map((error) => error.extensions?.code))].sort();
    return { codes, differences: codes.length === 0 && ours ? compare(engine, supergraph, ours) : [] };
  } catch (crash) {
    return { codes: [`CRASH ${crash.message}`], differences: [] };
  }
};

const compare = (engine, theirs, ours) => {
  const api = sorted(ours.api);
  return [
    ["their supergraph", () => engine.api(theirs)],
    ["our supergraph, read by them", () => engine.api(ours.supergraph)],
  ].flatMap(([what, read]) => {
    try {
      return firstDifference(what, read(), api);
    } catch (refused) {
      return [`${what}: ${refused.message}`];
    }
  });
};

const firstDifference = (what, theirs, ours) => {
  if (theirs === ours) return [];
  const [left, right] = [theirs.split("\n"), ours.split("\n")];
  const line = left.findIndex((text, index) => text !== right[index]);
  return [`${what}: line ${line + 1}: theirs ${JSON.stringify(left[line])}, ours ${JSON.stringify(right[line])}`];
};

const cases = JSON.parse(readFileSync(0, "utf8"));
const judged = cases.map((one) =>
  Object.fromEntries(Object.entries(engines).map(([name, engine]) => [name, judge(engine, one)])),
);
process.stdout.write(JSON.stringify(judged));
