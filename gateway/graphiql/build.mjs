// Builds the page and leaves it gzipped in ../assets/graphiql, which the gateway's binary embeds.
//
//   npm ci && npm run build     build, compress, write the manifest
//   npm run verify              is the committed page built from these sources? (needs no node_modules)
//
// The manifest holds one hash over all sources and one per asset, so that neither can change alone.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const built = join(here, 'dist');
const assets = join(here, '../assets/graphiql');
const manifestFile = join(here, '../assets/graphiql.manifest.json');
const sources = ['package.json', 'package-lock.json', 'tsconfig.json', 'vite.config.mjs', 'build.mjs', 'index.html', 'public', 'src'];

function filesUnder(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).sort().flatMap((name) => filesUnder(join(path, name)));
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

function sourceHash() {
  const lines = sources
    .flatMap((name) => filesUnder(join(here, name)))
    .map((file) => `${sha256(readFileSync(file))}  ${relative(here, file)}\n`);
  return sha256(lines.join(''));
}

function assetHashes() {
  const files = existsSync(assets) ? filesUnder(assets) : [];
  return Object.fromEntries(files.map((file) => [relative(assets, file), sha256(readFileSync(file))]));
}

async function build() {
  const { build: bundle } = await import('vite');
  await bundle({ root: here, configFile: join(here, 'vite.config.mjs'), logLevel: 'warn' });
  rmSync(assets, { recursive: true, force: true });
  let total = 0;
  for (const file of filesUnder(built)) {
    const target = join(assets, `${relative(built, file)}.gz`);
    mkdirSync(dirname(target), { recursive: true });
    const packed = gzipSync(readFileSync(file), { level: 9 });
    writeFileSync(target, packed);
    total += packed.length;
  }
  rmSync(built, { recursive: true, force: true });
  writeFileSync(manifestFile, `${JSON.stringify({ sources: sourceHash(), assets: assetHashes() }, null, 2)}\n`);
  console.log(`${Object.keys(assetHashes()).length} assets, ${total} bytes`);
}

function verify() {
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  const stale = manifest.sources !== sourceHash();
  const changed = JSON.stringify(manifest.assets) !== JSON.stringify(assetHashes());
  if (stale) console.error('gateway/graphiql has changed since its assets were built: run `npm ci && npm run build` there');
  if (changed) console.error('gateway/assets/graphiql differs from its manifest');
  process.exit(stale || changed ? 1 : 0);
}

if (process.argv.includes('--verify')) verify();
else await build();
