import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('./page/', import.meta.url);

/** The image is made without the page, which only a sandbox shows, and without its libraries. */
export function hasPage(): boolean {
  return existsSync(folder);
}

/** A file of the page that is served as it is written. */
export function pageFile(name: 'index.html' | 'icon.svg'): Buffer {
  return readFileSync(new URL(name, folder));
}

/** In the order in which later ones may say more than earlier ones. */
const styles = ['base', 'controls', 'frame', 'ask', 'cards', 'why', 'timeline', 'json', 'settings', 'narrow'];

export function pageStyle(): string {
  return styles.map((name) => readFileSync(new URL(`style/${name}.css`, folder), 'utf8')).join('\n');
}

/**
 * The page's script: its TypeScript and libraries as one module, made in another process when first asked for, so that
 * nobody builds anything and a start that never shows the page pays nothing.
 */
export function createScript(): () => Promise<string> {
  let made: Promise<string> | undefined;
  return () => {
    made ??= bundle().catch((error) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

async function bundle(): Promise<string> {
  const { build, stop } = await import('esbuild-wasm');
  try {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('main.tsx', folder))],
      bundle: true,
      write: false,
      format: 'esm',
      target: 'es2022',
      minify: true,
      jsx: 'automatic',
      jsxImportSource: 'preact',
      legalComments: 'none',
      logLevel: 'silent',
    });
    return (outputFiles[0] as { text: string }).text;
  } finally {
    await stop();
  }
}
