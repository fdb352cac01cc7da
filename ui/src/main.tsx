import "./kit/mantine";
import "./kit/global.css";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router/dom";
import { queryClient } from "./api/queryClient";
import { sessionQuery } from "./api/session";
import { theme, variables } from "./kit/theme";
import { router } from "./routes";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

// Asked for while the page loads, not after.
queryClient.query(sessionQuery).catch(() => undefined); // The shell asks again and shows the error.

createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      colorSchemeManager={localStorageColorSchemeManager({ key: "daytwo.theme" })}
    >
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
