import { defineConfig } from 'vite';

// The server mounts the page at /dashboard/; in development the fake server of dev/ stands in for it.
export default defineConfig({
  base: '/dashboard/',
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2020', assetsInlineLimit: 2048 },
  server: { proxy: { '/qm': 'http://127.0.0.1:5199' } },
  test: { include: ['tests/**/*.test.ts'] },
} as ReturnType<typeof defineConfig>);
