import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'custom-storage', include: ['src/**/*.test.ts'] },
});
