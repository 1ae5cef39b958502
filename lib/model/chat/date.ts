/**
 * Format a date by a pattern of Python's strftime, in local time and English, as `strftime_now` of chat templates does.
 * An unknown directive is kept as it is; a "-" in a directive omits leading zeros.
 */
export function formatDate(date: Date, pattern: string): string {
  const english = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat("en-US", options).format(date);
  const hour = date.getHours();
  const parts: Record<string, () => string> = {
    Y: () => String(date.getFullYear()),
    y: () => two(date.getFullYear() % 100),
    m: () => two(date.getMonth() + 1),
    d: () => two(date.getDate()),
    e: () => String(date.getDate()).padStart(2),
    B: () => english({ month: "long" }),
    b: () => english({ month: "short" }),
    A: () => english({ weekday: "long" }),
    a: () => english({ weekday: "short" }),
    H: () => two(hour),
    I: () => two(hour % 12 || 12),
    p: () => (hour < 12 ? "AM" : "PM"),
    M: () => two(date.getMinutes()),
    S: () => two(date.getSeconds()),
    "%": () => "%",
  };
  return pattern.replace(/%(-?)([a-zA-Z%])/g, (directive, short: string, letter: string) => {
    const text = parts[letter]?.() ?? directive;
    return short && parts[letter] ? text.replace(/^[0 ]+(?=.)/, "") : text;
  });
}

const two = (value: number): string => String(value).padStart(2, "0");
