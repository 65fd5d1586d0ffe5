// What a page's main thread does while something happens, from the browser's own trace: processor time, not time on the clock, so that it
// says the same on a machine that does other things meanwhile, and without a graphics card.

/** What the browser calls its work, by what it is for. All else is `other`. */
const KINDS = {
  script: ["FunctionCall", "EvaluateScript", "EventDispatch", "FireAnimationFrame", "TimerFire", "RunMicrotasks", "MinorGC", "MajorGC"],
  style: ["UpdateLayoutTree", "ScheduleStyleRecalculation"],
  layout: ["Layout"],
  paint: ["PrePaint", "Paint", "Layerize", "Commit", "UpdateLayer", "UpdateLayerTree"],
};
const KIND_OF = new Map(Object.entries(KINDS).flatMap(([kind, names]) => names.map((name) => [name, kind])));

/** Milliseconds of the main thread's processor time by kind, while `run` runs in the page; and what `run` answers. */
export async function traced(page, run, ...values) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ["devtools.timeline", "v8"] });
  let result, trace;
  try {
    result = await page.evaluate(run, ...values);
  } finally {
    trace = JSON.parse((await browser.stopTracing()).toString());
  }
  return { result, work: workOf(trace.traceEvents) };
}

function workOf(events) {
  const names = new Map(events.filter(({ name }) => name === "thread_name").map(({ pid, tid, args }) => [`${pid} ${tid}`, args.name]));
  const ofPages = events.filter(({ ph, pid, tid }) => ph === "X" && names.get(`${pid} ${tid}`) === "CrRendererMain");
  const work = { script: 0, style: 0, layout: 0, paint: 0, other: 0 };
  const spent = new Map();
  // Of all pages there may be, the one that did most is the one that was looked at.
  for (const { pid, tdur = 0 } of ofPages) spent.set(pid, (spent.get(pid) ?? 0) + tdur);
  const busiest = [...spent].toSorted((a, b) => b[1] - a[1])[0]?.[0];
  const own = ofPages.filter(({ pid }) => pid === busiest).toSorted((a, b) => a.ts - b.ts || b.dur - a.dur);
  const within = [];
  for (const { name, ts, dur, tdur = 0 } of own) {
    while (within.length > 0 && ts >= within.at(-1).end) within.pop();
    const kind = KIND_OF.get(name) ?? within.at(-1)?.kind ?? "other";
    // Style and layout that a script asks for are not the script's.
    if (within.length > 0) work[within.at(-1).kind] -= tdur / 1000;
    work[kind] += tdur / 1000;
    within.push({ kind, end: ts + dur });
  }
  return work;
}
