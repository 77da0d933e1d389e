// Two subgraphs that are not ours, on free ports of this machine: a library's books, and what readers say of them.
// Prints a line with name and address for each, and serves until it is killed.
//
//   node server.mjs            serve
//   node server.mjs --sdl DIR  write books.graphql and readers.graphql into DIR

import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { graphql, parse } from "graphql";

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.5",
  import: ["@key", "@external", "@requires", "@shareable"])`;

const books = {
  sdl: `${LINK}
    "A book of the library."
    type Book @key(fields: "isbn") @key(fields: "shelf { room place }") {
      isbn: ID!
      title: String!
      pages: Int!
      shelf: Shelf!
      author: Author
      cover(size: Size! = SMALL): String
    }
    type Shelf @shareable { room: String! place: Int! }
    type Author @key(fields: "name") { name: ID! books: [Book!]! }
    enum Size { SMALL LARGE }
    union Found = Book | Author
    type Query { book(isbn: ID!): Book books(first: Int = 10): [Book!]! find(text: String!): [Found!]! broken: String! }
    type Mutation { move(isbn: ID!, room: String!): Book! }`,
  rows: [
    { isbn: "1", title: "The Analytical Engine", pages: 200, shelf: { room: "north", place: 1 }, by: "Ada" },
    { isbn: "2", title: "Compilers", pages: 340, shelf: { room: "north", place: 2 }, by: "Grace" },
    { isbn: "3", title: "A Book Without an Author", pages: 10, shelf: { room: "south", place: 1 }, by: null },
  ],
};
const byIsbn = (isbn) => books.rows.find((row) => row.isbn === isbn) ?? null;
const authorOf = (name) => (books.rows.some((row) => row.by === name) ? { __typename: "Author", name } : null);
books.resolvers = {
  Query: {
    book: (_, { isbn }) => byIsbn(isbn),
    books: (_, { first }) => books.rows.slice(0, first),
    find: (_, { text }) => [
      ...books.rows.filter((row) => row.title.includes(text)).map((row) => ({ __typename: "Book", ...row })),
      ...["Ada", "Grace"].filter((name) => name.includes(text)).map(authorOf),
    ],
    broken: () => {
      throw Object.assign(new Error("This shelf is empty."), { extensions: { code: "EMPTY_SHELF" } });
    },
  },
  Mutation: {
    move: (_, { isbn, room }) => {
      const row = byIsbn(isbn);
      row.shelf = { ...row.shelf, room };
      return row;
    },
  },
  Book: {
    __resolveReference: ({ isbn, shelf }) =>
      isbn ? byIsbn(isbn) : books.rows.find((row) => row.shelf.room === shelf.room && row.shelf.place === shelf.place),
    author: ({ by }) => authorOf(by),
    cover: ({ isbn }, { size }) => `/${isbn}-${size.toLowerCase()}.png`,
  },
  Author: {
    __resolveReference: ({ name }) => authorOf(name),
    books: ({ name }) => books.rows.filter((row) => row.by === name),
  },
};

const readers = {
  sdl: `${LINK}
    type Book @key(fields: "isbn") {
      isbn: ID!
      pages: Int! @external
      opinions(atLeast: Int = 1): [Opinion!]!
      hours: Float @requires(fields: "pages")
      secret: String
    }
    type Author @key(fields: "name") { name: ID! fans: Int! }
    type Opinion { stars: Int! reader: String! of: Book! }
    type Query { opinions: [Opinion!]! }`,
  rows: [
    { isbn: "1", stars: 5, reader: "Charles" },
    { isbn: "1", stars: 2, reader: "Luigi" },
    { isbn: "2", stars: 4, reader: "Charles" },
  ],
};
readers.resolvers = {
  Query: { opinions: () => readers.rows },
  Book: {
    __resolveReference: ({ isbn, pages }) => ({ isbn, pages }),
    opinions: ({ isbn }, { atLeast }) => readers.rows.filter((row) => row.isbn === isbn && row.stars >= atLeast),
    hours: ({ pages }) => pages / 40,
    secret: ({ isbn }) => {
      if (isbn === "2") throw Object.assign(new Error("Not for you."), { extensions: { code: "FORBIDDEN" } });
      return `of ${isbn}`;
    },
  },
  Author: { __resolveReference: ({ name }) => ({ name }), fans: ({ name }) => name.length * 100 },
  Opinion: { of: ({ isbn }) => ({ isbn }) },
};

const serve = async ({ sdl, resolvers }) => {
  const schema = buildSubgraphSchema({ typeDefs: parse(sdl), resolvers });
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { query, variables, operationName } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    const result = await graphql({ schema, source: query, variableValues: variables, operationName });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(result));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return `http://127.0.0.1:${server.address().port}/graphql`;
};

const [flag, folder] = process.argv.slice(2);
if (flag === "--sdl") {
  writeFileSync(join(folder, "books.graphql"), books.sdl);
  writeFileSync(join(folder, "readers.graphql"), readers.sdl);
} else {
  const [booksUrl, readersUrl] = await Promise.all([serve(books), serve(readers)]);
  console.log(`books ${booksUrl}`);
  console.log(`readers ${readersUrl}`);
}
