import { ask, isProblem, Problem, showProblem } from "./elements";
import { Picture } from "./picture";

// Opened is one picture as the server sent it.
interface Opened {
  url: string; // blob: URL of the bytes
}

// Each fetch of a page is one line in the audit trail, so the last few pages
// are kept while this submission is on the screen. More would fill the memory.
const keepOpen = 8;

const unreadable =
  "The browser cannot read this picture. “Original” downloads it as it came; you may need to ask for the page again.";

// Shelf keeps pictures that were opened, for both panes.
export class Shelf {
  private readonly opened = new Map<string, Opened>();

  // open fetches a picture once. The server says what it is; only the types
  // it names are ever shown.
  async open(link: HTMLAnchorElement, signal: AbortSignal): Promise<Opened | Problem | null> {
    const id = link.dataset["id"] ?? "";
    const kept = this.opened.get(id);
    if (kept) {
      this.keep(id, kept);
      return kept;
    }
    const answer = await ask(link.dataset["src"] ?? "", { signal, headers: { Accept: "application/json, */*" } });
    if (isProblem(answer)) return answer;
    const type = answer.headers.get("Content-Type") ?? "";
    const inline = (answer.headers.get("Content-Disposition") ?? "").startsWith("inline");
    if (!inline || !/^image\/(jpeg|png|webp)$/.test(type)) {
      await answer.body?.cancel();
      return null;
    }
    const bytes = await answer.arrayBuffer();
    const page = { url: URL.createObjectURL(new Blob([bytes], { type })) };
    this.keep(id, page);
    return page;
  }

  private keep(id: string, page: Opened): void {
    this.opened.delete(id);
    this.opened.set(id, page);
    for (const [old, { url }] of this.opened) {
      if (this.opened.size <= keepOpen) break;
      this.opened.delete(old);
      URL.revokeObjectURL(url);
    }
  }

  empty(): void {
    for (const { url } of this.opened.values()) URL.revokeObjectURL(url);
    this.opened.clear();
  }
}

// Pane shows one page.
export class Pane {
  link: HTMLAnchorElement | null = null;
  picture: Picture | null = null;
  // changed is told when a picture is there, or none.
  changed: () => void = () => undefined;
  private fetching: AbortController | null = null;

  constructor(readonly stage: HTMLElement, private readonly shelf: Shelf) {}

  async show(link: HTMLAnchorElement): Promise<void> {
    this.link = link;
    this.fetching?.abort();
    this.fetching = new AbortController();
    this.name();
    this.note("Opening the page…");
    try {
      await this.open(link, this.fetching.signal);
    } catch (cause) {
      if (!(cause instanceof DOMException && cause.name === "AbortError")) throw cause;
    }
  }

  // name says which page the stage shows.
  name(): string {
    const { page, label } = this.link?.dataset ?? {};
    const name = "Page " + (page ?? "") + (label ? ", " + label : "");
    this.stage.setAttribute("aria-label", name);
    return name;
  }

  blank(): void {
    this.fetching?.abort();
    this.drop();
    this.stage.replaceChildren();
  }

  private async open(link: HTMLAnchorElement, signal: AbortSignal): Promise<void> {
    const kind = await this.kind(link, signal);
    if (this.link !== link) return;
    if (kind === "pdf") {
      this.pdf(link);
      return;
    }
    if (kind === "heic" || kind === "other") {
      this.explain(link, kind);
      return;
    }
    const page = await this.shelf.open(link, signal);
    if (this.link !== link) return;
    if (!page) {
      this.explain(link, "other");
    } else if ("title" in page) {
      const box = document.createElement("div");
      box.className = "problem";
      box.setAttribute("role", "alert");
      showProblem(box, page);
      this.stage.replaceChildren(box);
    } else {
      this.put(link, page);
    }
  }

  // kind asks how a page can be looked at, once. What cannot be told is opened
  // like a picture: the server says why it cannot be.
  private async kind(link: HTMLAnchorElement, signal: AbortSignal): Promise<string> {
    if (!link.dataset["kind"]) {
      const answer = await ask("/pages/" + link.dataset["id"] + "/kind", { signal, headers: { Accept: "application/json" } });
      if (isProblem(answer)) return "picture";
      link.dataset["kind"] = ((await answer.json()) as { kind: string }).kind;
    }
    return link.dataset["kind"] ?? "";
  }

  // pdf leaves the page to the browser's own viewer. Its answer carries the
  // CSP sandbox; the sandbox attribute would stop the viewer.
  private pdf(link: HTMLAnchorElement): void {
    const frame = document.createElement("iframe");
    frame.title = this.name() + ", PDF";
    frame.src = link.dataset["src"] ?? "";
    this.stage.replaceChildren(frame);
    thumb(link).textContent = "PDF";
    this.changed();
  }

  private explain(link: HTMLAnchorElement, kind: string): void {
    const words = document.querySelector<HTMLTemplateElement>(`[data-note=${kind}]`);
    if (words) this.stage.replaceChildren(words.content.cloneNode(true));
    thumb(link).textContent = kind === "heic" ? "HEIC" : "?";
    this.changed();
  }

  private put(link: HTMLAnchorElement, page: Opened): void {
    this.drop();
    const picture = new Picture(this.stage, page.url, this.name(), Number(link.dataset["rotation"]));
    this.picture = picture;
    picture.shown.then(
      () => {
        const small = picture.thumbnail(112);
        if (small) thumb(link).replaceChildren(small);
        turnThumb(link);
        this.changed();
      },
      () => {
        if (this.picture === picture) this.note(unreadable);
      },
    );
  }

  private note(words: string): void {
    this.drop();
    const element = document.createElement("p");
    element.className = "note";
    element.textContent = words;
    this.stage.replaceChildren(element);
    this.changed();
  }

  private drop(): void {
    this.picture?.leave();
    this.picture = null;
  }
}

function thumb(link: HTMLElement): HTMLElement {
  return link.querySelector<HTMLElement>(".thumb") ?? link;
}

// turnThumb shows the small picture as the large one.
export function turnThumb(link: HTMLElement): void {
  thumb(link).dataset["rotation"] = link.dataset["rotation"] ?? "0";
}
