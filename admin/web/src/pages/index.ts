// Every page, in the order of the navigation. A page is one line here; see README.md.
import { audit } from "./audit/route";
import { keys } from "./keys/route";
import { providers } from "./providers/route";
import { requests } from "./requests/route";
import { routing } from "./routing/route";
import { rules } from "./rules/route";
import { sessions } from "./sessions/route";
import { settings } from "./settings/route";
import { system } from "./system/route";
import { users } from "./users/route";

export const pages = [requests, sessions, users, providers, routing, rules, settings, system, audit, keys] as const;
