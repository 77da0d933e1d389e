// The shopper's way is a chain: the cart's id comes from one answer and goes into the next request.
// Tabs therefore name what to remember from an answer, and use it in variables as "{{name}}".

import type { SeededTab } from './configuration';

const key = 'graphiql:remembered';
const placeholder = /^\{\{\s*([A-Za-z][A-Za-z0-9]*)\s*\}\}$/;

/** A variable asks for something that no answer has given yet. */
export class NotYetKnown extends Error {
  constructor(name: string, operation: string | undefined) {
    super(
      operation
        ? `"{{${name}}}" is not known yet: run the tab ${operation} first, or write a value in its place.`
        : `"{{${name}}}" is not known: write a value in its place.`,
    );
  }
}

export class Memory {
  private readonly values: Record<string, unknown>;

  constructor(private readonly tabs: SeededTab[]) {
    try {
      this.values = JSON.parse(sessionStorage.getItem(key) ?? '{}');
    } catch {
      this.values = {};
    }
  }

  set(name: string, value: unknown) {
    this.values[name] = value;
    sessionStorage.setItem(key, JSON.stringify(this.values));
  }

  /** Replaces every `"{{name}}"` in a JSON value; `{{newKey}}` is a fresh idempotency key each time. */
  fill(value: unknown): unknown {
    return replace(value, (name) => this.recall(name));
  }

  /** Learns from an answer what the seeded tab of that operation says to remember; returns what is new. */
  learn(operationName: string | undefined, answer: unknown): Record<string, unknown> {
    const learned: Record<string, unknown> = {};
    const remember = this.tabs.find((tab) => nameOf(tab.query) === operationName)?.remember ?? {};
    for (const [name, path] of Object.entries(remember)) {
      const value = valueAt(answer, path);
      if (value === undefined || value === null) continue;
      learned[name] = value;
      this.set(name, value);
    }
    return learned;
  }

  private recall(name: string): unknown {
    if (name === 'newKey') return newKey();
    if (name in this.values) return this.values[name];
    const source = this.tabs.find((tab) => tab.remember && name in tab.remember);
    throw new NotYetKnown(name, source && nameOf(source.query));
  }
}

/**
 * Follows a path such as `data.product.variants.nodes[availability.status=IN_STOCK].id`: members by name, items by
 * number, or the first item for which a member has a value (the first of all where none has it).
 */
export function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const step of path.match(/\[[^\]]*\]|[^.[\]]+/g) ?? []) {
    if (at === null || typeof at !== 'object') return undefined;
    at = step.startsWith('[') ? itemOf(at, step.slice(1, -1)) : (at as Record<string, unknown>)[step];
  }
  return at;
}

function itemOf(list: object, which: string): unknown {
  if (!Array.isArray(list)) return undefined;
  const [path, wanted] = which.split('=');
  if (wanted === undefined) return list[Number(which)];
  return list.find((item) => String(valueAt(item, path)) === wanted) ?? list[0];
}

/** The tabs with what the gateway knows already in the place of its placeholders. */
export function filled(tabs: SeededTab[], known: Record<string, unknown>): SeededTab[] {
  const fill = (value: unknown) => replace(value, (name) => (name in known ? known[name] : `{{${name}}}`));
  return tabs.map((tab) => (tab.variables ? { ...tab, variables: fill(tab.variables) as Record<string, unknown> } : tab));
}

/** Replaces every text that is a placeholder, at any depth. */
function replace(value: unknown, by: (name: string) => unknown): unknown {
  if (typeof value === 'string') {
    const name = placeholder.exec(value)?.[1];
    return name === undefined ? value : by(name);
  }
  if (Array.isArray(value)) return value.map((item) => replace(item, by));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, replace(inner, by)]));
  }
  return value;
}

export function nameOf(query: string): string | undefined {
  return /^\s*(?:query|mutation|subscription)\s+([A-Za-z_][A-Za-z0-9_]*)/m.exec(query)?.[1];
}

/** `crypto.randomUUID` exists on secure origins only; a shop on a plain-HTTP host must work too. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
