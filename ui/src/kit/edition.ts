// Something while it is edited: others may change it meanwhile.

/** How something is kept: each version of it has a name. */
export interface Kept {
  saved?: { version: string; at: string; by?: string };
}

export interface Edition<T extends Kept> {
  /** As it was when the editing began, or was saved from here last. */
  opened: T;
  /** As it is now. */
  latest: T;
  /** Begins anew with what is kept now. */
  takeLatest: () => void;
  /** What was saved is what is edited from here on. */
  saved: (entry: T) => void;
}

/** Whether somebody else saved another version since. */
export const overtaken = <T extends Kept>({ opened, latest }: Edition<T>) =>
  latest.saved !== undefined && latest.saved.version !== opened.saved?.version;
