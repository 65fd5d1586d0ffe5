// Fails when src/api/schema.d.ts is not what openapi-typescript makes of openapi.json. `npm run schema` makes it anew.
import { readFile } from "node:fs/promises";

import openapiTypescript, { COMMENT_HEADER, astToString } from "openapi-typescript";

const at = (path) => new URL(`../${path}`, import.meta.url);
const expected = COMMENT_HEADER + astToString(await openapiTypescript(at("openapi.json")));
const committed = await readFile(at("src/api/schema.d.ts"), "utf8");
if (committed !== expected) {
  console.error("src/api/schema.d.ts is not current: run `npm run schema` in admin/web and commit it");
  process.exit(1);
}
