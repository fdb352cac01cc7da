import { createSortedRowModel, rowSortingFeature, tableFeatures, useTable, type ColumnDef, type SortingState } from "@tanstack/react-table";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { memo, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";
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
      {/* The link in the first cell of a row does the same for the keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions */}
      <tbody
        ref={body}
        onClick={(event) => {
          const row = (event.target as Element).closest("tr")?.dataset.index;
          if (opens && row !== undefined && !isOwnControl(event.target)) open(sorted[Number(row)]?.original);
        }}
      >
        {before > 0 && <Gap height={before} span={columns.length} />}
        {items.map(({ index }) => {
          const row = sorted[index];
          if (!row) return null;
          return (
            <Row
              key={row.id}
              row={row.original}
              index={index}
              columns={columns}
              to={to}
              opens={opens}
              selected={index === selected}
              measure={virtual ? virtualizer.measureElement : undefined}
            />
          );
        })}
        {after > 0 && <Gap height={after} span={columns.length} />}
      </tbody>
    </table>
  );
}

interface RowProps<T> {
  row: T;
  index: number;
  columns: Column<T>[];
  to?: (row: T) => string;
  opens: boolean;
  selected: boolean;
  measure?: (node: Element | null) => void;
}

/** One row. It is drawn anew only when something of it changed: scrolling through thousands draws those that come into sight. */
const Row = memo(function Row<T>({ row, index, columns, to, opens, selected, measure }: RowProps<T>) {
  return (
    <tr data-index={index} ref={measure} data-opens={opens || undefined} data-selected={selected || undefined}>
      {columns.map((column, i) => (
        <td key={column.id} data-align={column.align} data-phone={column.phone} data-header={column.header}>
          {i === 0 && to ? (
            <Link to={to(row)} className={styles.title}>
              {column.cell(row)}
            </Link>
          ) : (
            column.cell(row)
          )}
        </td>
      ))}
    </tr>
  );
}) as <T>(props: RowProps<T>) => ReactNode;

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
