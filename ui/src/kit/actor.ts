/** Who acted, as people say it: a token and a part of daytwo by its name ("ci token", "alert rules"), anybody else as they are called. */
export function actorWords(actor: string): string {
  const [, kind = "", name = ""] = /^(\w+):(.+)$/.exec(actor) ?? [];
  if (kind === "token") return `${name} token`;
  if (kind === "system") return name;
  return actor;
}
