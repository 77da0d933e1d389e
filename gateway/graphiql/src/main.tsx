// The page: GraphiQL with the shop's seeded tabs, the explorer, and a button per demo user.

import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './page.css';

import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { type Configuration, loadConfiguration } from './configuration';
import { createFetcher } from './fetcher';
import { Logins, type SignedIn, TokenWriter } from './logins';
import { Memory, filled } from './memory';

const explorer = explorerPlugin({ showAttribution: false });

/** `?query=…&variables=…&headers=…` opens a tab of its own, so that a link can show an operation. */
function deepLink() {
  const search = new URLSearchParams(location.search);
  const query = search.get('query');
  if (query === null) return undefined;
  return { query, variables: search.get('variables') ?? undefined };
}

/** GraphiQL shows the variables of its first tab only if told so, and takes that as a new tab if it has some. */
function initial(tabs: { query: string; variables?: string }[], link: ReturnType<typeof deepLink>) {
  if (link) return { initialQuery: link.query, initialVariables: link.variables ?? '' };
  const kept = localStorage.getItem('graphiql:tabState') !== null;
  return kept ? {} : { initialVariables: tabs[0]?.variables ?? '' };
}

const asText = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value, null, 2));

function Page({ configuration }: { configuration: Configuration }) {
  const memory = useMemo(() => new Memory(configuration.tabs), [configuration]);
  const [signedIn, setSignedIn] = useState<SignedIn>();
  const fetcher = useMemo(
    () =>
      createFetcher(configuration, memory, (learned) => {
        if (typeof learned.accessToken === 'string') setSignedIn({ label: 'by tab', token: learned.accessToken });
      }),
    [configuration, memory],
  );
  const link = deepLink();
  const seeded = filled(configuration.tabs, configuration.known).map((tab) => ({
    query: tab.query,
    variables: asText(tab.variables),
    headers: asText(tab.headers),
  }));
  const tabs = link ? [link, ...seeded] : seeded;
  return (
    <>
      <header className="shop-bar">
        <span className="shop-title">{configuration.title}</span>
        <Logins configuration={configuration} signedIn={signedIn} onSignedIn={setSignedIn} />
      </header>
      <main className="shop-main">
        <GraphiQL
          fetcher={fetcher}
          defaultTabs={tabs.length > 0 ? tabs : undefined}
          plugins={[HISTORY_PLUGIN, explorer]}
          shouldPersistHeaders={false}
          showPersistHeadersSettings={false}
          inputValueDeprecation
          schemaDescription
          defaultEditorToolsVisibility="variables"
          {...initial(tabs, link)}
        >
          <GraphiQL.Logo>
            <TokenWriter signedIn={signedIn} />
          </GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}

const configuration = await loadConfiguration();
document.title = configuration.title;
const root = document.getElementById('root');
if (root) createRoot(root).render(<Page configuration={configuration} />);
