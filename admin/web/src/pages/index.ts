// Every page, in the order of the navigation. A page is one line here; see README.md.
import { providers } from "./providers/route";
import { requests } from "./requests/route";

export const pages = [requests, providers] as const;
