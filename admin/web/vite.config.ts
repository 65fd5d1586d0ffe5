// How the dashboard is built. `DEV_GATEWAY` is the running gateway the development server passes /api on to.
import { fileURLToPath } from "node:url";

import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

import { precompress } from "./scripts/precompress.ts";

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  plugins: [react(), tailwind(), precompress()],
  resolve: {
    alias: {
      "@": source("."),
      // The original writes <style> elements, which our content security policy refuses.
      "react-remove-scroll": source("lib/remove-scroll.tsx"),
    },
  },
  build: {
    target: "es2022",
    // Everything comes from files: the policy allows no data: URL but images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      output: {
        manualChunks(id) {
          if (/node_modules\/(react|react-dom|scheduler)\//.test(id)) return "react";
          return /node_modules\/@tanstack\/(react-router|router-core|history|react-query|query-core|store|react-store)\//.test(id)
            ? "tanstack"
            : undefined;
        },
      },
    },
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": { target: process.env.DEV_GATEWAY ?? "http://127.0.0.1:23000" } },
  },
});
