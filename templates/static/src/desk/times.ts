// The words of times grow old while a page stays open.
export function keepTimes(): void {
  window.setInterval(() => {
    for (const element of document.querySelectorAll<HTMLElement>("[data-ago]")) {
      const at = Date.parse(element.dataset["ago"] ?? "");
      if (!Number.isNaN(at)) element.textContent = relative(Date.now() - at);
    }
    for (const element of document.querySelectorAll<HTMLElement>("[data-until]")) {
      const until = Date.parse(element.dataset["until"] ?? "");
      if (!Number.isNaN(until)) element.textContent = left(until - Date.now());
    }
  }, 30_000);
}

// relative says it like the server does (relative in desk_time.go).
export function relative(ago: number): string {
  const minutes = Math.floor(ago / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return plural(minutes, "minute");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return plural(hours, "hour");
  return plural(Math.floor(hours / 24), "day");
}

// left says it like the server does (leftWords in desk_emergency.go).
export function left(time: number): string {
  const minutes = Math.ceil(time / 60_000);
  if (minutes <= 1) return "less than a minute left";
  if (minutes < 60) return `${count(minutes, "minute")} left`;
  const rest = minutes % 60 ? " " + count(minutes % 60, "minute") : "";
  return `${count(Math.floor(minutes / 60), "hour")}${rest} left`;
}

function plural(n: number, noun: string): string {
  return count(n, noun) + " ago";
}

function count(n: number, noun: string): string {
  return n === 1 ? `1 ${noun}` : `${n} ${noun}s`;
}
