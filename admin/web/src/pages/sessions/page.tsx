// Sessions: the conversations of clients as they run, and who is logged in to the dashboard.
import { getRouteApi } from "@tanstack/react-router";

import { ClientSessions } from "./clients";
import { Logins } from "./logins";

const route = getRouteApi("/app/sessions");

export function SessionsPage() {
  const { tab } = route.useSearch();
  return tab === "logins" ? <Logins /> : <ClientSessions />;
}

