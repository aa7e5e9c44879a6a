import { find, leave } from "./elements";
import { Keys } from "./keys";

// At most so often the rows are fetched anew: each time is one line in the
// audit trail.
const leastPause = 4_000;
const lostPause = 5_000;

// liveList keeps the inbox up to date while it is seen, and gives it keys.
export function liveList(): void {
  const page = document.querySelector<HTMLElement>("[data-list-page]");
  if (!page) return;
  new Keys({
    j: () => step(1),
    k: () => step(-1),
    e: () => finish(),
  });
  filterAtOnce();
  doneBox();
  new Stream(page);
}

function rows(): HTMLAnchorElement[] {
  return [...document.querySelectorAll<HTMLAnchorElement>("[data-list-rows] a.row")];
}

function step(by: number): void {
  const all = rows();
  const at = all.indexOf(document.activeElement as HTMLAnchorElement);
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by));
  all[next]?.focus();
}

// filterAtOnce spares the button: without this script it is pressed.
function filterAtOnce(): void {
  const form = find<HTMLFormElement>("[data-filter]");
  find("button", form).hidden = true;
  form.addEventListener("change", () => form.requestSubmit());
  // What is empty need not stand in the URL.
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
}

function finish(): void {
  const row = document.activeElement?.closest<HTMLAnchorElement>("a.row");
  const box = document.querySelector<HTMLDialogElement>("[data-finish]");
  if (!row || !box) return;
  find<HTMLFormElement>("form", box).action = new URL(row.href).pathname + "/handled";
  find("[data-finish-who]", box).textContent =
    find(".person b", row).textContent?.trim() + ", " + find(".ref", row).textContent?.replace("Reference", "").trim();
  box.showModal();
}

function doneBox(): void {
  const box = document.querySelector<HTMLDialogElement>("[data-finish]");
  if (box) find("[data-finish-close]", box).addEventListener("click", () => box.close());
}

// Stream listens for changes while the page is seen: a browser has few
// connections to one host.
class Stream {
  private source: EventSource | null = null;
  private timer = 0;
  private fetched = Date.now();
  private fetching = false;
  private again = false;

  constructor(private readonly page: HTMLElement) {
    document.addEventListener("visibilitychange", () => this.follow());
    window.addEventListener("pagehide", () => this.stop());
    this.follow();
  }

  private follow(): void {
    this.stop();
    if (document.visibilityState !== "visible") return;
    const source = new EventSource("/changes?since=" + this.page.dataset["changes"]);
    source.addEventListener("changed", () => this.soon());
    // The browser would go on with the old count: this page has a newer one.
    source.addEventListener("error", () => {
      this.stop();
      this.timer = window.setTimeout(() => this.follow(), lostPause);
    });
    this.source = source;
  }

  private stop(): void {
    window.clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  private soon(): void {
    if (this.fetching) {
      this.again = true;
      return;
    }
    this.fetching = true;
    window.setTimeout(() => this.fetch(), Math.max(0, this.fetched + leastPause - Date.now()));
  }

  // The rows come as the page that they are part of. This way of reading it
  // makes no HTML out of text, which the page's policy forbids.
  private fetch(): void {
    const request = new XMLHttpRequest();
    const address = new URL(window.location.href);
    address.searchParams.set("auto", "1");
    request.open("GET", address);
    request.responseType = "document";
    request.addEventListener("loadend", () => {
      this.fetched = Date.now();
      this.fetching = false;
      const fresh = request.status === 200 ? request.responseXML : null;
      const list = fresh?.querySelector<HTMLElement>("[data-list-page]");
      if (list) this.show(list);
      else if (fresh) leave(); // the sign-in page came instead
      if (this.again) {
        this.again = false;
        this.soon();
      }
    });
    request.send();
  }

  private show(fresh: HTMLElement): void {
    const had = new Set(rows().map((row) => row.pathname));
    const focused = document.activeElement?.closest<HTMLAnchorElement>("a.row")?.pathname;
    this.page.dataset["changes"] = fresh.dataset["changes"];
    find("[data-list-rows]").replaceChildren(...document.importNode(find("[data-list-rows]", fresh), true).childNodes);
    const now = rows();
    now.find((row) => row.pathname === focused)?.focus({ preventScroll: true });
    const come = now.filter((row) => !had.has(row.pathname)).length;
    if (come > 0) find("[data-list-news]").textContent = come === 1 ? "1 came in" : come + " came in";
  }
}
