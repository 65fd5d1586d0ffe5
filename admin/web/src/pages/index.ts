// Every page. The order is that of the navigation within a group, and the first one a role may see is where it starts. A page is one line
// here; see README.md.
import { audit } from "./audit/route";
import { guide } from "./guide/route";
import { keys } from "./keys/route";
import { leaderboard } from "./leaderboard/route";
import { myUsage } from "./my-usage/route";
import { notifications } from "./notifications/route";
import { overview } from "./overview/route";
import { prices } from "./prices/route";
import { providers } from "./providers/route";
import { requests } from "./requests/route";
import { routing } from "./routing/route";
import { rules } from "./rules/route";
import { sessions } from "./sessions/route";
import { settings } from "./settings/route";
import { system } from "./system/route";
import { users } from "./users/route";

/** Those below the shell, for who is logged in. */
export const guarded = [
  overview,
  myUsage,
  requests,
  sessions,
  leaderboard,
  users,
  providers,
  routing,
  prices,
  rules,
  notifications,
  settings,
  system,
  audit,
  keys,
] as const;

/** Those that stand alone, for everybody. */
export const open = [guide] as const;

export const pages = [...guarded, ...open] as const;
