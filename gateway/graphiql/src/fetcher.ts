// One fetcher for all tabs: queries and mutations over HTTP, subscriptions over graphql-transport-ws.

import type { Fetcher, FetcherOpts, FetcherParams } from '@graphiql/toolkit';
import { Kind, type OperationDefinitionNode, parse } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import type { Configuration } from './configuration';
import type { Memory } from './memory';

export function createFetcher(
  configuration: Configuration,
  memory: Memory,
  learned: (values: Record<string, unknown>) => void,
): Fetcher {
  const sockets = new Sockets(configuration.subscriptions);

  async function post(request: FetcherParams, headers: Record<string, string>) {
    const response = await fetch(configuration.endpoint, {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json;q=0.9',
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify(request),
    });
    const answer = await response.json();
    learned(memory.learn(request.operationName ?? undefined, answer));
    return answer;
  }

  return (params: FetcherParams, options?: FetcherOpts) => {
    // GraphiQL learns of an edit or a change of tab a little late: the text says what is to run, and the name
    // that it hands over counts only if the text has it (it is empty for an anonymous operation, too).
    const operations = operationsOf(params.query);
    const operation = operations.find((one) => one.name?.value === params.operationName) ?? operations[0];
    const operationName = operation?.name?.value;
    const headers = (options?.headers ?? {}) as Record<string, string>;
    const variables = memory.fill(params.variables ?? {}) as Record<string, unknown>;
    const request: FetcherParams = { query: params.query, variables, operationName };
    return operation?.operation === 'subscription'
      ? sockets.of(headers).iterate<Record<string, unknown>>(request as never) as never
      : post(request, headers);
  };
}

function operationsOf(query: string): OperationDefinitionNode[] {
  try {
    return parse(query).definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  } catch {
    return []; // a syntax error: let the server say so
  }
}

/** A browser's WebSocket cannot carry headers: they go into `connection_init`, one socket per set. */
class Sockets {
  private readonly clients = new Map<string, Client>();

  constructor(private readonly path: string) {}

  of(headers: Record<string, string>): Client {
    const key = JSON.stringify(headers);
    const known = this.clients.get(key);
    if (known) return known;
    const url = new URL(this.path, location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const lowered = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const client = createClient({ url: url.href, connectionParams: lowered, lazy: true, retryAttempts: 2 });
    this.clients.set(key, client);
    return client;
  }
}
