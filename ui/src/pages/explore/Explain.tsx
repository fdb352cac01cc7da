import { useQuery } from "@tanstack/react-query";
import { explainQuery } from "@/api/prometheus";
import { ExpressionParts } from "@/kit/ExpressionParts";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { useTimeRange } from "@/kit/useTimeRange";

/** What each expression is made of, with the series and the time of each part. */
export function Explain({ exprs }: { exprs: string[] }) {
  return exprs.map((expr, i) => <Parts key={`${i} ${expr}`} title={exprs.length > 1 ? `Query ${String.fromCharCode(65 + i)}, part by part` : "Part by part"} expr={expr} />);
}

function Parts({ title, expr }: { title: string; expr: string }) {
  const { range, pausedAt, live } = useTimeRange();
  const query = useQuery(explainQuery({ expr, range, pausedAt, live }));
  return (
    <Section title={title}>
      <Loaded query={query}>{({ parts, more }) => <ExpressionParts parts={parts} more={more} />}</Loaded>
    </Section>
  );
}
