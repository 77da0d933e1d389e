// What the gateway tells the page at run time (`/graphiql/tabs.json`): seeded tabs and demo users.
// The page itself knows no shop; another supergraph brings other tabs, or none.

/** A tab that is open when the page is first shown. */
export interface SeededTab {
  query: string;
  /** Values of the form `"{{name}}"` are replaced when the operation is sent; see `memory.ts`. */
  variables?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** Names to remember from the answer: `{"cartId": "data.cartCreate.cart.id"}`. */
  remember?: Record<string, string>;
}

/** A button that logs a demo user in. */
export interface DemoLogin {
  label: string;
  query: string;
  variables?: Record<string, unknown>;
  /** Where the access token stands in the answer, for example `data.sessionCreate.result.accessToken`. */
  token: string;
}

export interface Configuration {
  title: string;
  /** Where queries and mutations are posted. */
  endpoint: string;
  /** Where subscriptions connect, on the same host. */
  subscriptions: string;
  tabs: SeededTab[];
  /** Values for placeholders that the gateway knows from the start, such as a demo user's name. */
  known: Record<string, unknown>;
  logins: DemoLogin[];
}

const fallback: Configuration = {
  title: 'GraphiQL',
  endpoint: '/graphql',
  subscriptions: '/graphql/ws',
  tabs: [],
  known: {},
  logins: [],
};

/** Asks the gateway; without an answer GraphiQL is shown empty. */
export async function loadConfiguration(): Promise<Configuration> {
  const answer = await fetch('/graphiql/tabs.json', { headers: { accept: 'application/json' } });
  if (!answer.ok) return fallback;
  return { ...fallback, ...(await answer.json()) };
}
