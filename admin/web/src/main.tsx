// Where the dashboard starts.
import "./index.css";

import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { forget } from "./api/session";
import { whenSessionIsOver } from "./api/client";
import { queries } from "./api/queries";
import { router } from "./app/router";
import { Toasts } from "./app/toasts";
import { TooltipProvider } from "./components/ui/popover";

whenSessionIsOver(() => {
  forget();
  void router.invalidate();
});

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <TooltipProvider delayDuration={250} skipDelayDuration={200}>
        <RouterProvider router={router} />
        <Toasts />
      </TooltipProvider>
    </QueryClientProvider>
  </StrictMode>,
);
