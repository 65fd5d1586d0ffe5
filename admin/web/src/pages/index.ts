// Every page. The order is that of the navigation within a group, and the first one a role may see is where it starts. A page is one line
// here; see README.md.
import { guide } from "./guide/route";
import { leaderboard } from "./leaderboard/route";
import { myUsage } from "./my-usage/route";
import { overview } from "./overview/route";
import { prices } from "./prices/route";
import { providers } from "./providers/route";
import { requests } from "./requests/route";

/** Those below the shell, for who is logged in. */
export const guarded = [
  overview,
  myUsage,
  requests,
  leaderboard,
  providers,
  prices,
] as const;

/** Those that stand alone, for everybody. */
export const open = [guide] as const;

export const pages = [...guarded, ...open] as const;
