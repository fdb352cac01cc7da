import { useQuery } from "@tanstack/react-query";
import { whyQuery } from "@/api/alerts";
import { ExpressionParts } from "@/kit/ExpressionParts";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { Clock } from "@/kit/Time";
import styles from "./Routing.module.css";

/** The series that fire, and the expression part by part. */
export function Why({ id, firing }: { id: string; firing: boolean }) {
  const query = useQuery({ ...whyQuery(id), refetchInterval: firing ? 30_000 : false });
  return (
    <Section title="Why" aside={query.data && <span className={styles.dim}>at <Clock time={query.data.at} withZone /></span>}>
      <Loaded query={query}>{({ parts, more }) => <ExpressionParts parts={parts} more={more} />}</Loaded>
    </Section>
  );
}
