// Lays series on top of each other.

/** One line or colour of a chart. */
export interface Series {
  id: string;
  label: string;
  /** The token of its colour: `chart-1`. */
  color: string;
  values: readonly number[];
}

/**
 * The tops of stacked bars: `tops[i]` is series `i` with all before it that are shown. Hidden ones keep their place and have no height of
 * their own.
 */
export function stack(series: readonly Pick<Series, "id" | "values">[], hidden: ReadonlySet<string>, length: number): number[][] {
  const floor = new Array<number>(length).fill(0);
  return series.map(({ id, values }) => {
    if (!hidden.has(id)) for (let at = 0; at < length; at++) floor[at] = (floor[at] ?? 0) + (values[at] ?? 0);
    return floor.slice();
  });
}

/** What is left of `total` when all `parts` are taken away; rounding never makes it negative. */
export function rest(total: readonly number[], parts: readonly (readonly number[])[]): number[] {
  return total.map((value, at) => {
    const left = parts.reduce((remaining, part) => remaining - (part[at] ?? 0), value);
    return left > value * 1e-9 ? left : 0;
  });
}

/** Places for labels: every so many that about `room` of them fit, on steps people count in. */
export function everyNth(length: number, room: number): number {
  const steps = [1, 2, 3, 4, 6, 7, 12, 14, 24, 28, 48, 72, 168];
  return steps.find((step) => length / step <= room) ?? Math.ceil(length / Math.max(room, 1));
}
