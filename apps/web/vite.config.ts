/** Builds the page into hashed files: no inline script or style, no polyfill that needs one, nothing from elsewhere. */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig(({ mode }) => {
  const preview = mode === 'preview';
  return {
    root: fileURLToPath(new URL('.', import.meta.url)),
    base: '/',
    plugins: [react()],
    publicDir: false,
    build: {
      outDir: preview ? '.cache/preview' : 'dist',
      emptyOutDir: true,
      target: 'es2024',
      assetsInlineLimit: 0,
      cssCodeSplit: false,
      modulePreload: { polyfill: false },
      sourcemap: false,
      reportCompressedSize: true,
      rolldownOptions: {
        // The server caches names of this one form for ever.
        output: { chunkFileNames: ({ name }) => `assets/${name.replaceAll('.', '-')}-[hash].js` },
        input: (preview ? ['preview.html'] : ['index.html', 'verify.html']).map((name) =>
          fileURLToPath(new URL(name, import.meta.url)),
        ),
      },
    },
  };
});
