import { useQuery } from "@tanstack/react-query";
import { Suspense } from "react";
import { Navigate, Outlet, ScrollRestoration, useLocation } from "react-router";
import { sessionQuery } from "@/api/session";
import { ErrorBoundary } from "@/kit/ErrorBoundary";
import { ErrorNote } from "@/kit/ErrorNote";
import { Waiting } from "@/kit/Loaded";
import { Toasts } from "@/kit/Toasts";
import { StoryBar } from "@/pages/story/StoryBar";
import { BottomBar } from "./BottomBar";
import { Header } from "./Header";
import { KeysHelp } from "./KeysHelp";
import { useLive } from "./live";
import { Palette } from "./Palette";
import styles from "./Shell.module.css";
import { Sidebar } from "./Sidebar";
import { useKeys } from "./useKeys";

/** Everything around a page, for who is signed in. */
export function Shell() {
  const session = useQuery(sessionQuery);
  const location = useLocation();
  if (session.data?.authenticated) return <SignedIn />;
  if (session.data) {
    const next = location.pathname + location.search;
    return <Navigate to={next === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`} replace />;
  }
  return (
    <div className={styles.alone}>
      {session.error ? <ErrorNote error={session.error} retry={() => void session.refetch()} /> : <Waiting />}
    </div>
  );
}

function SignedIn() {
  const { pathname } = useLocation();
  useLive();
  useKeys();
  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#page">
        Skip to the page
      </a>
      <Header />
      <Sidebar />
      <main className={styles.page} id="page" tabIndex={-1}>
        <StoryBar />
        <ErrorBoundary key={pathname}>
          <Suspense fallback={<Waiting />}>
            <Outlet />
          </Suspense>
        </ErrorBoundary>
      </main>
      <BottomBar />
      <Palette />
      <KeysHelp />
      <Toasts />
      <ScrollRestoration />
    </div>
  );
}
