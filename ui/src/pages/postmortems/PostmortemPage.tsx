import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { postmortemQuery } from "@/api/postmortems";
import { Loaded } from "@/kit/Loaded";
import { useMe } from "@/shell/useMe";
import { PostmortemEditor } from "./PostmortemEditor";

export function PostmortemPage() {
  const { id = "" } = useParams();
  // Saving a draft is no event of the timeline: ask, so that who writes learns early that somebody else does.
  const query = useQuery({ ...postmortemQuery(id), refetchInterval: 5_000 });
  const { can } = useMe();
  return (
    <Loaded query={query} rows={10} page="Postmortem">
      {(postmortem) => <PostmortemEditor key={postmortem.id} latest={postmortem} editable={can("responder")} />}
    </Loaded>
  );
}
