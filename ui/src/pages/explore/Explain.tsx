import { useQuery } from "@tanstack/react-query";
import { explainQuery } from "@/api/prometheus";
import { ExpressionParts } from "@/kit/ExpressionParts";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { useTimeRange } from "@/kit/useTimeRange";

/** What each expression is made of, with the series and the time of each part. */
export function Explain({ exprs }: { exprs: string[] }) {
  return exprs.map((expr, i) => <Parts key={`${i} ${expr}`} expr={expr} />);
}

function Parts({ expr }: { expr: string }) {
  const { range, pausedAt, live } = useTimeRange();
  const query = useQuery(explainQuery({ expr, range, pausedAt, live }));
  return (
    <Section title={<code>{expr}</code>}>
      <Loaded query={query}>{({ parts, more }) => <ExpressionParts parts={parts} more={more} />}</Loaded>
    </Section>
  );
}
