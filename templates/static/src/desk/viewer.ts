import { find } from "./elements";
import { Keys } from "./keys";
import { Pane, Shelf } from "./pane";
import { PageForms } from "./pageforms";

// Viewer shows the pages of a submission: one, or two side by side. What the
// toolbars do is done to the page in hand, the one that was touched last.
export class Viewer {
  private links: HTMLAnchorElement[];
  private readonly shelf = new Shelf();
  private readonly panes: Pane[];
  private readonly forms: PageForms | null;
  private hand: Pane;

  constructor(private readonly root: HTMLElement) {
    this.links = pageLinks();
    this.panes = [...root.querySelectorAll<HTMLElement>("[data-stage]")].map((stage) => this.pane(stage));
    const first = this.panes[0];
    const link = this.links.find((each) => each.hasAttribute("aria-current"));
    if (!first || !link) throw new Error("the viewer has no page");
    this.hand = first;
    this.forms = root.querySelector("[data-page-form]") ? new PageForms(root, this) : null;
    this.listen();
    const beside = this.links[Number(this.beside.value) - 1];
    void this.show(link, true);
    if (this.panes[1] && beside) void this.panes[1].show(beside);
  }

  // link is the page in hand.
  get link(): HTMLAnchorElement {
    if (!this.hand.link) throw new Error("nothing is shown");
    return this.hand.link;
  }

  private get beside(): HTMLSelectElement {
    return this.root.querySelector<HTMLSelectElement>("#beside") ?? document.createElement("select");
  }

  private listen(): void {
    this.links.forEach((link) => this.onClick(link, () => this.show(link)));
    this.onClick(find("[data-previous]"), () => this.step(-1));
    this.onClick(find("[data-next]"), () => this.step(1));
    find("[data-smaller]").addEventListener("click", () => this.hand.picture?.zoomBy(1 / 1.25));
    find("[data-larger]").addEventListener("click", () => this.hand.picture?.zoomBy(1.25));
    find("[data-fit]").addEventListener("click", () => this.hand.picture?.fit());
    const show = this.root.querySelector<HTMLElement>("[data-beside-form] button");
    if (show) show.hidden = true;
    this.beside.addEventListener("change", () => this.showBeside());
    this.root.querySelector("[data-beside-form]")?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.showBeside();
    });
    this.light();
    new Keys({
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      "+": () => this.hand.picture?.zoomBy(1.25),
      "=": () => this.hand.picture?.zoomBy(1.25),
      "-": () => this.hand.picture?.zoomBy(1 / 1.25),
      "0": () => this.hand.picture?.fit(),
      r: () => this.hand.picture && this.forms?.turn(90),
      d: () => document.querySelector<HTMLElement>("[data-original]")?.click(),
      n: () => find("[data-onward]").click(),
    });
    // Neither the history nor the browser's memory keeps what was shown.
    window.addEventListener("pagehide", () => {
      for (const pane of this.panes) pane.blank();
      for (const link of this.links) link.querySelector(".thumb")?.replaceChildren();
      this.shelf.empty();
    });
  }

  private pane(stage: HTMLElement): Pane {
    const pane = new Pane(stage, this.shelf);
    pane.changed = () => this.tools();
    for (const name of ["pointerdown", "focusin"]) stage.addEventListener(name, () => this.take(pane));
    return pane;
  }

  // take makes a pane's page the one in hand.
  private take(pane: Pane): void {
    if (this.hand === pane || !pane.link) return;
    this.hand = pane;
    this.mark();
  }

  private step(by: number): void {
    const link = this.links[this.links.indexOf(this.link) + by];
    if (link) void this.show(link);
  }

  private async show(link: HTMLAnchorElement, first = false): Promise<void> {
    if (link === this.hand.link) return;
    const shown = this.hand.show(link);
    this.mark(first);
    await shown;
  }

  // Two pages need two panes; the second is made once.
  private showBeside(): void {
    const link = this.links[Number(this.beside.value) - 1];
    const [first, second] = this.panes;
    const panes = find("[data-panes]");
    panes.toggleAttribute("data-two", Boolean(link));
    if (!link) {
      if (first) this.hand = first;
      second?.blank();
      second?.stage.parentElement?.remove();
      this.panes.length = 1;
      this.mark();
      return;
    }
    if (second) {
      void second.show(link);
      return;
    }
    const copy = first?.stage.parentElement?.cloneNode(true) as HTMLElement;
    panes.append(copy);
    const pane = this.pane(find("[data-stage]", copy));
    this.panes.push(pane);
    void pane.show(link);
  }

  // renumber follows a page that was moved.
  renumber(): void {
    this.links = pageLinks();
    for (const pane of this.panes) pane.name();
    this.mark();
  }

  // mark moves everything that names the page in hand.
  mark(first = false): void {
    const { link } = this;
    const { label, page } = link.dataset;
    for (const other of this.links) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    reveal(link);
    for (const pane of this.panes) pane.stage.toggleAttribute("data-hand", pane === this.hand && this.panes.length > 1);
    find("[data-place]").textContent = page ?? "";
    find("[data-place-label]").textContent = label ? " · " + label : "";
    this.hand.name();
    const at = this.links.indexOf(link);
    lead("[data-previous]", this.links[at - 1]);
    lead("[data-next]", this.links[at + 1]);
    const original = document.querySelector<HTMLAnchorElement>("[data-original]"); // for who may take pages along
    if (original) original.href = link.dataset["original"] ?? "";
    find<HTMLAnchorElement>("[data-tab]").href = link.dataset["src"] ?? "";
    this.forms?.follow(link, at > 0, at < this.links.length - 1);
    if (!first) window.history.replaceState(null, "", link.href);
    this.tools();
  }

  turnTo(degrees: number): void {
    for (const pane of this.panes) {
      if (pane.link === this.link) pane.picture?.turn(degrees);
    }
  }

  private tools(): void {
    const { picture } = this.hand;
    find("[data-picture-tools]").hidden = !picture;
    const turns = this.root.querySelector<HTMLElement>("[data-page-form=rotation]");
    if (turns) turns.hidden = !picture;
    if (!picture) return;
    const fit = find("[data-fit]");
    picture.laid = (percent) => {
      if (this.hand.picture !== picture) return;
      fit.textContent = percent + "%";
      fit.setAttribute("aria-label", fit.textContent + ", fit to the window");
    };
    picture.laid(picture.percent());
  }

  // light makes faint print readable: the view alone.
  private light(): void {
    const form = find<HTMLFormElement>("[data-light-form]", this.root);
    const bars = [...form.querySelectorAll<HTMLInputElement>("input[type=range]")];
    const set = () => {
      for (const { stage } of this.panes) for (const bar of bars) stage.dataset[bar.name] = bar.value;
    };
    for (const bar of bars) bar.addEventListener("input", set);
    form.addEventListener("submit", (event) => event.preventDefault());
    find("[data-light-apply]", form).hidden = true;
    this.onClick(find("[data-light-reset]", form), () => {
      for (const bar of bars) bar.value = "100";
      set();
    });
  }

  // A click with a key held down keeps its meaning: a new tab, a new window.
  private onClick(link: HTMLElement, act: () => unknown): void {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      act();
    });
  }
}

function pageLinks(): HTMLAnchorElement[] {
  return [...document.querySelectorAll<HTMLAnchorElement>("[data-pages] a[data-page]")];
}

function lead(selector: string, to: HTMLAnchorElement | undefined): void {
  const link = find<HTMLAnchorElement>(selector);
  if (to) {
    link.href = to.href;
    link.removeAttribute("aria-disabled");
    return;
  }
  link.removeAttribute("href");
  link.setAttribute("aria-disabled", "true");
}

// reveal scrolls the list of pages and never the window.
function reveal(link: HTMLElement): void {
  const list = find("[data-list]");
  const above = link.getBoundingClientRect().top - list.getBoundingClientRect().top;
  const below = above + link.offsetHeight - list.clientHeight;
  if (above < 0) list.scrollTop += above;
  else if (below > 0) list.scrollTop += below;
}
