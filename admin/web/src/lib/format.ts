// Numbers, money and times as people read them, in the reader's language. Formatters are made once for each language.
import { type Language, useLanguage } from "./i18n";

const LOCALE = { en: "en-US", zh: "zh-CN" } as const;

export interface Format {
  /** 1,234 */
  count: (value: number) => string;
  /** 12.3K */
  compact: (value: number) => string;
  /** A decimal string or a number of US dollars; small amounts keep their significant digits. */
  usd: (value: string | number) => string;
  /** To the same decimal as what stands above and below. */
  usdFine: (value: string | number) => string;
  /** $1.2K, for axes and narrow places. */
  usdShort: (value: string | number) => string;
  /** A share of 1. */
  percent: (share: number) => string;
  /** Milliseconds as 820 ms, 1.24 s, 2 m 05 s. */
  ms: (value: number) => string;
  bytes: (value: number) => string;
  /** Date and time to the second, with the zone. */
  exact: (time: string | Date) => string;
  /** 14:03:22 today, else with the date. */
  clock: (time: string | Date) => string;
  /** 3 min ago. */
  relative: (time: string | Date, now?: number) => string;
  date: (time: string | Date) => string;
}

const made = new Map<Language, Format>();

export function formatFor(language: Language): Format {
  let format = made.get(language);
  if (!format) {
    format = make(LOCALE[language]);
    made.set(language, format);
  }
  return format;
}

export function useFormat(): Format {
  return formatFor(useLanguage());
}

/** The browser's time zone, which is what times are shown in. */
export const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

function make(locale: string): Format {
  const count = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const compact = new Intl.NumberFormat(locale === "zh-CN" ? "en-US" : locale, { notation: "compact", maximumFractionDigits: 1 });
  const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
  const change = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", maximumSignificantDigits: 3 });
  const shortMoney = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", notation: "compact", maximumSignificantDigits: 3 });
  const fineMoney = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", minimumFractionDigits: 5, maximumFractionDigits: 5 });
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
  const exact = new Intl.DateTimeFormat(locale, {
    year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
    hourCycle: "h23", timeZoneName: "short",
  });
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const dated = new Intl.DateTimeFormat(locale, {
    month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });
  const date = new Intl.DateTimeFormat(locale, { year: "numeric", month: "short", day: "numeric" });
  const one = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const two = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return {
    count: (value) => count.format(value),
    compact: (value) => compact.format(value),
    usd: (value) => {
      const amount = Number(value);
      return amount === 0 || Math.abs(amount) >= 0.1 ? money.format(amount) : change.format(amount);
    },
    usdFine: (value) => fineMoney.format(Number(value)),
    usdShort: (value) => shortMoney.format(Number(value)),
    percent: (share) => percent.format(share),
    ms: (value) => {
      if (value < 1000) return `${value < 10 ? one.format(value) : count.format(value)} ms`;
      if (value < 60_000) return `${two.format(value / 1000)} s`;
      const seconds = Math.round(value / 1000);
      return `${count.format(Math.floor(seconds / 60))} m ${String(seconds % 60).padStart(2, "0")} s`;
    },
    bytes: (value) => {
      if (value < 1024) return `${count.format(value)} B`;
      if (value < 1_048_576) return `${one.format(value / 1024)} KiB`;
      return `${one.format(value / 1_048_576)} MiB`;
    },
    exact: (time) => exact.format(new Date(time)),
    clock: (time) => {
      const at = new Date(time);
      return (at.toDateString() === new Date().toDateString() ? clock : dated).format(at);
    },
    relative: (time, now = Date.now()) => {
      const seconds = (new Date(time).getTime() - now) / 1000;
      for (const [unit, size] of STEPS) {
        if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
      }
      return relative.format(Math.round(seconds), "second");
    },
    date: (time) => date.format(new Date(time)),
  };
}
