import { createSortedRowModel, rowSortingFeature, tableFeatures, useTable, type ColumnDef, type SortingState } from "@tanstack/react-table";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useNavigate } from "react-router";
import { Link } from "./Link";
import styles from "./Table.module.css";
import { useListKeys } from "./useListKeys";
import { useCarryTime } from "./useTimeRange";

export interface Column<T> {
  id: string;
  header: string;
  cell: (row: T) => ReactNode;
  /** What the column sorts by; without it the column does not sort. */
  value?: (row: T) => string | number;
  align?: "end";
  width?: string | number;
  /** On a phone a row is a card: its title, its right side, or left out; else one of its facts. */
  phone?: "title" | "side" | "hide";
}

interface Props<T> {
  /** What the rows are, for who hears the page. */
  label: string;
  rows: T[];
  columns: Column<T>[];
  rowKey: (row: T) => string;
  /** The page a row opens; the first column becomes its link. */
  to?: (row: T) => string;
  onOpen?: (row: T) => void;
  /** Sorted by this column until the reader chooses; else in the order given. */
  sortBy?: { id: string; desc: boolean };
}

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });
/** Fewer rows than this are all in the document, where the browser's search finds them. */
const virtualAbove = 100;
const rowHeight = 33;

export function Table<T extends object>({ label, rows, columns, rowKey, to, onOpen, sortBy }: Props<T>) {
  const navigate = useNavigate();
  const carry = useCarryTime();
  const body = useRef<HTMLTableSectionElement>(null);
  const [sorting, setSorting] = useState<SortingState>(sortBy ? [sortBy] : []);

  const defs = useMemo(
    () =>
      columns.map((column): ColumnDef<typeof features, T> => {
        const { id, value } = column;
        return value ? { id, accessorFn: value, sortFn: "auto" } : { id, accessorFn: () => 0, enableSorting: false };
      }),
    [columns],
  );
  const table = useTable({ features, columns: defs, data: rows, getRowId: rowKey, state: { sorting }, onSortingChange: setSorting });
  const sorted = table.getRowModel().rows;

  const virtual = sorted.length > virtualAbove;
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    if (virtual && body.current) setTop(body.current.getBoundingClientRect().top + window.scrollY);
  }, [virtual]);
  const virtualizer = useWindowVirtualizer({
    count: sorted.length,
    enabled: virtual,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: top,
    getItemKey: (index) => sorted[index]?.id ?? index,
  });

  const open = (row: T | undefined) => {
    if (!row) return;
    onOpen?.(row);
    if (to) void navigate(carry(to(row)));
  };
  const opens = to !== undefined || onOpen !== undefined;
  const selected = useListKeys(body, sorted.length, {
    onSelect: (index) => {
      if (virtual) virtualizer.scrollToIndex(index);
      else body.current?.children[index]?.scrollIntoView({ block: "nearest" });
    },
    onOpen: (index) => open(sorted[index]?.original),
  });

  const items = virtual ? virtualizer.getVirtualItems() : sorted.map((_, index) => ({ index, start: 0, end: 0 }));
  const before = virtual ? (items[0]?.start ?? top) - top : 0;
  const after = virtual ? virtualizer.getTotalSize() - ((items.at(-1)?.end ?? top) - top) : 0;

  return (
    <table className={styles.table} aria-label={label} aria-rowcount={sorted.length}>
      <thead>
        <tr>
          {columns.map((column) => (
            <Head
              key={column.id}
              column={column}
              sorted={sorting[0]?.id === column.id ? (sorting[0].desc ? "desc" : "asc") : undefined}
              onSort={() => table.getColumn(column.id)?.toggleSorting()}
            />
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        {before > 0 && <Gap height={before} span={columns.length} />}
        {items.map(({ index }) => {
          const row = sorted[index];
          if (!row) return null;
          return (
            // The first cell's link does the same for the keyboard.
             
            <tr
              key={row.id}
              data-index={index}
              ref={virtual ? virtualizer.measureElement : undefined}
              data-opens={opens || undefined}
              data-selected={index === selected || undefined}
              onClick={(event) => {
                if (opens && !isOwnControl(event.target)) open(row.original);
              }}
            >
              {columns.map((column, i) => (
                <td key={column.id} data-align={column.align} data-phone={column.phone} data-header={column.header}>
                  {i === 0 && to ? (
                    <Link to={to(row.original)} className={styles.title}>
                      {column.cell(row.original)}
                    </Link>
                  ) : (
                    column.cell(row.original)
                  )}
                </td>
              ))}
            </tr>
          );
        })}
        {after > 0 && <Gap height={after} span={columns.length} />}
      </tbody>
    </table>
  );
}

function Head<T>({ column, sorted, onSort }: { column: Column<T>; sorted?: "asc" | "desc"; onSort: () => void }) {
  return (
    <th
      scope="col"
      style={{ width: column.width }}
      data-align={column.align}
      aria-sort={sorted && (sorted === "asc" ? "ascending" : "descending")}
    >
      {column.value ? (
        <button type="button" onClick={onSort}>
          {column.header}
          {sorted === "asc" && <IconArrowUp size={12} aria-hidden />}
          {sorted === "desc" && <IconArrowDown size={12} aria-hidden />}
        </button>
      ) : (
        column.header
      )}
    </th>
  );
}

function Gap({ height, span }: { height: number; span: number }) {
  return (
    <tr aria-hidden className={styles.gap}>
      <td colSpan={span} style={{ height }} />
    </tr>
  );
}

const isOwnControl = (target: EventTarget) => target instanceof Element && target.closest("a, button, input, label") !== null;
