// Demo users: a click logs one in and writes the token into the headers of every open tab.

import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useState } from 'react';
import type { Configuration, DemoLogin } from './configuration';
import { valueAt } from './memory';

export interface SignedIn {
  label: string;
  token: string;
}

interface LoginsProps {
  configuration: Configuration;
  signedIn: SignedIn | undefined;
  onSignedIn: (user: SignedIn | undefined) => void;
}

export function Logins({ configuration, signedIn, onSignedIn }: LoginsProps) {
  const [failure, setFailure] = useState<string>();
  if (configuration.logins.length === 0) return null;

  async function logIn(login: DemoLogin) {
    try {
      onSignedIn({ label: login.label, token: await tokenOf(configuration.endpoint, login) });
      setFailure(undefined);
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
  }

  return (
    <span className="shop-logins" role="group" aria-label="Demo users">
      <span className="shop-hint">Log in as</span>
      {configuration.logins.map((login) => (
        <button
          key={login.label}
          type="button"
          className="shop-login"
          aria-pressed={signedIn?.label === login.label}
          title={`Log in as ${login.label}: writes the Authorization header of every tab`}
          onClick={() => logIn(login)}
        >
          {login.label}
        </button>
      ))}
      {signedIn && (
        <button type="button" className="shop-login" onClick={() => onSignedIn(undefined)}>
          Log out
        </button>
      )}
      {failure && <span className="shop-failure">{failure}</span>}
    </span>
  );
}

async function tokenOf(endpoint: string, login: DemoLogin): Promise<string> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ query: login.query, variables: login.variables }),
  });
  const answer = await response.json();
  const token = valueAt(answer, login.token);
  if (typeof token === 'string') return token;
  throw new Error(answer?.errors?.[0]?.message ?? 'The log-in was refused.');
}

/** Keeps the `Authorization` header of all tabs in step with who is logged in. */
export function TokenWriter({ signedIn }: { signedIn: SignedIn | undefined }) {
  const { tabs, activeTabIndex, headerEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    activeTabIndex: state.activeTabIndex,
    headerEditor: state.headerEditor,
  }));
  const { moveTab, updateActiveTabValues } = useGraphiQLActions();
  const token = signedIn?.token;
  const [written, setWritten] = useState<string>();
  const count = tabs.length;

  // Runs when the token changes or a tab is added, not on every key press in a tab.
  useEffect(() => {
    if (token === undefined && written === undefined) return;
    // `moveTab` is the action that replaces the list of tabs; it finds the active one by identity.
    moveTab(tabs.map((tab, at) => (at === activeTabIndex ? tab : { ...tab, headers: withToken(tab.headers, token) })));
    const headers = withToken(tabs[activeTabIndex]?.headers, token);
    headerEditor?.setValue(headers ?? '');
    updateActiveTabValues({ headers });
    setWritten(token);
  }, [token, count, headerEditor]);
  return null;
}

function withToken(headers: string | null | undefined, token: string | undefined): string | null {
  let parsed: Record<string, string> = {};
  try {
    parsed = JSON.parse(headers || '{}');
  } catch {
    return headers ?? null; // being edited: leave it alone
  }
  const kept = Object.entries(parsed).filter(([name]) => name.toLowerCase() !== 'authorization');
  if (token !== undefined) kept.push(['Authorization', `Bearer ${token}`]);
  return kept.length === 0 ? null : JSON.stringify(Object.fromEntries(kept), null, 2);
}
