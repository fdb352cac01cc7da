import { Component, type ReactNode } from "react";
import { ErrorNote } from "./ErrorNote";

/** Keeps a fault in one part of a page from taking the page away. Give it a new `key` to start over. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return <ErrorNote error={this.state.error} retry={() => this.setState({ error: undefined })} />;
  }
}
