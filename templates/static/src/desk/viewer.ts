import { ask, find, isProblem, Problem, showProblem } from "./elements";
import { Picture } from "./picture";
import { Keys } from "./keys";

// Opened is one page as the server sent it.
interface Opened {
  url: string; // blob: URL of the bytes; empty if they are not shown here
  type: string;
  extension: string;
}

// Each fetch of a page is one line in the audit trail, so the last few pages
// are kept while this submission is on the screen. More would fill the memory.
const keepOpen = 8;

// Viewer shows one page of a submission at a time.
export class Viewer {
  private readonly links: HTMLAnchorElement[];
  private readonly opened = new Map<number, Opened>();
  private current = 0;
  private picture: Picture | null = null;
  private fetching: AbortController | null = null;

  constructor(private readonly stage: HTMLElement) {
    this.links = [...document.querySelectorAll<HTMLAnchorElement>("[data-pages] a[data-page]")];
    this.links.forEach((link, index) => this.onClick(link, () => this.show(index)));
    this.onClick(find("[data-previous]"), () => this.show(this.current - 1));
    this.onClick(find("[data-next]"), () => this.show(this.current + 1));
    find("[data-smaller]").addEventListener("click", () => this.picture?.zoomBy(1 / 1.25));
    find("[data-larger]").addEventListener("click", () => this.picture?.zoomBy(1.25));
    find("[data-fit]").addEventListener("click", () => this.picture?.fit());
    find("[data-rotate]").addEventListener("click", () => this.picture?.rotate());
    new Keys({
      ArrowLeft: () => this.show(this.current - 1),
      ArrowRight: () => this.show(this.current + 1),
      "+": () => this.picture?.zoomBy(1.25),
      "=": () => this.picture?.zoomBy(1.25),
      "-": () => this.picture?.zoomBy(1 / 1.25),
      "0": () => this.picture?.fit(),
      r: () => this.picture?.rotate(),
      d: () => find("[data-original]").click(),
    });
    void this.show(this.links.findIndex((link) => link.hasAttribute("aria-current")), true);
  }

  // A click with a key held down keeps its meaning: a new tab, a new window.
  private onClick(link: HTMLElement, act: () => unknown): void {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      act();
    });
  }

  private async show(index: number, first = false): Promise<void> {
    const link = this.links[index];
    if (!link || (index === this.current && !first)) return;
    this.current = index;
    this.fetching?.abort();
    this.fetching = new AbortController();
    this.mark(link);
    if (!first) window.history.replaceState(null, "", link.href);
    this.place(document.createElement("p"), "Opening the page…");
    try {
      const page = this.opened.get(index) ?? (await this.open(link, this.fetching.signal));
      if (this.current !== index) return;
      if ("title" in page) {
        const box = document.createElement("div");
        box.className = "problem";
        box.setAttribute("role", "alert");
        showProblem(box, page);
        this.stage.replaceChildren(box);
        return;
      }
      this.keep(index, page);
      this.put(link, page);
    } catch (cause) {
      if (!(cause instanceof DOMException && cause.name === "AbortError")) throw cause;
    }
  }

  // mark moves everything that names the current page.
  private mark(link: HTMLAnchorElement): void {
    const label = link.dataset["label"] ?? "";
    for (const other of this.links) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    reveal(link);
    find("[data-place]").textContent = link.dataset["page"] ?? "";
    find("[data-place-label]").textContent = label && " · " + label;
    this.stage.setAttribute("aria-label", "Page " + link.dataset["page"] + (label && ", " + label));
    this.step("[data-previous]", this.links[this.current - 1]);
    this.step("[data-next]", this.links[this.current + 1]);
    find<HTMLAnchorElement>("[data-original]").href = link.dataset["original"] ?? "";
    find<HTMLAnchorElement>("[data-tab]").href = link.dataset["src"] ?? "";
  }

  private step(selector: string, to: HTMLAnchorElement | undefined): void {
    const link = find<HTMLAnchorElement>(selector);
    link.toggleAttribute("aria-disabled", !to);
    if (to) link.href = to.href;
    else {
      link.removeAttribute("href");
      link.setAttribute("aria-disabled", "true");
    }
  }

  // open fetches a page once: a frame or an img of its URL would ask again
  // for each part of a PDF. The server says what it is; only the types it
  // names are ever shown.
  private async open(link: HTMLAnchorElement, signal: AbortSignal): Promise<Opened | Problem> {
    const answer = await ask(link.dataset["src"] ?? "", { signal, headers: { Accept: "application/json, */*" } });
    if (isProblem(answer)) return answer;
    const disposition = answer.headers.get("Content-Disposition") ?? "";
    const extension = /\.([a-z0-9]{1,5})"?$/.exec(disposition)?.[1] ?? "";
    const type = answer.headers.get("Content-Type") ?? "";
    if (!disposition.startsWith("inline") || !/^(image\/(jpeg|png|webp)|application\/pdf)$/.test(type)) {
      await answer.body?.cancel();
      return { url: "", type: "", extension };
    }
    const bytes = await answer.arrayBuffer();
    return { url: URL.createObjectURL(new Blob([bytes], { type })), type, extension };
  }

  private keep(index: number, page: Opened): void {
    this.opened.delete(index);
    this.opened.set(index, page);
    for (const [old, { url }] of this.opened) {
      if (this.opened.size <= keepOpen) break;
      this.opened.delete(old);
      if (url) URL.revokeObjectURL(url);
    }
  }

  private put(link: HTMLAnchorElement, page: Opened): void {
    const name = this.stage.getAttribute("aria-label") ?? "";
    if (page.type === "application/pdf") {
      const frame = document.createElement("iframe");
      frame.title = name + ", PDF";
      frame.src = page.url;
      this.stage.replaceChildren(frame);
      this.thumb(link, "PDF");
      return;
    }
    if (page.url === "") {
      const heic = page.extension === "heic";
      this.place(
        document.createElement("p"),
        heic
          ? "This is a HEIC photo, as iPhones take them. Browsers cannot show it: use “Original” to download it and open it with your photo viewer."
          : "This page is not shown here, because it is no picture or PDF that is safe to show. “Original” downloads it as it came.",
      );
      this.thumb(link, page.extension.toUpperCase());
      return;
    }
    const picture = new Picture(this.stage, page.url, name);
    this.picture = picture;
    picture.shown.then(
      () => {
        find("[data-picture-tools]").hidden = this.picture !== picture;
        const small = picture.thumbnail(112);
        if (small) find(".thumb", link).replaceChildren(small);
      },
      () => {
        if (this.picture === picture) {
          this.place(document.createElement("p"), "The browser cannot read this picture. “Original” downloads it as it came; you may need to ask the client to send the page again.");
        }
      },
    );
  }

  private thumb(link: HTMLAnchorElement, words: string): void {
    find(".thumb", link).textContent = words;
  }

  private place(element: HTMLElement, words: string): void {
    this.picture?.leave();
    this.picture = null;
    find("[data-picture-tools]").hidden = true;
    element.className = "note";
    element.textContent = words;
    this.stage.replaceChildren(element);
  }
}

// reveal scrolls the list of pages and never the window.
function reveal(link: HTMLElement): void {
  const list = find("[data-list]");
  const above = link.getBoundingClientRect().top - list.getBoundingClientRect().top;
  const below = above + link.offsetHeight - list.clientHeight;
  if (above < 0) list.scrollTop += above;
  else if (below > 0) list.scrollTop += below;
}
