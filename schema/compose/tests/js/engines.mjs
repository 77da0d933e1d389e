// The composers on npm, behind one face: `compose` makes a supergraph, `api` the schema clients see of one.

import { composeServices as composeApollo } from "@apollo/composition";
import { ROUTER_SUPPORTED_SUPERGRAPH_FEATURES, Supergraph } from "@apollo/federation-internals";
import {
  composeServices as composeTheGuild,
  transformSupergraphToPublicSchema,
} from "@theguild/federation-composition";
import { buildASTSchema, buildSchema, lexicographicSortSchema, parse, printSchema } from "graphql";

const parsed = (subgraphs) => subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) }));

export const engines = {
  apollo: {
    compose: (subgraphs) => {
      const { supergraphSdl, errors } = composeApollo(parsed(subgraphs));
      return { supergraph: supergraphSdl, errors: errors ?? [] };
    },
    api: (supergraph) => {
      const read = Supergraph.build(supergraph, { supportedFeatures: ROUTER_SUPPORTED_SUPERGRAPH_FEATURES });
      return print(read.apiSchema().toGraphQLJSSchema());
    },
  },
  theguild: {
    compose: (subgraphs) => {
      const { supergraphSdl, errors } = composeTheGuild(parsed(subgraphs));
      return { supergraph: supergraphSdl, errors: errors ?? [] };
    },
    api: (supergraph) => print(buildASTSchema(transformSupergraphToPublicSchema(parse(supergraph)))),
  },
};

// A schema as text that depends on nothing but its content.
export const print = (schema) => printSchema(lexicographicSortSchema(schema));
export const sorted = (sdl) => print(buildSchema(sdl));
