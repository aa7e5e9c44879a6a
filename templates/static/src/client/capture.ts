// From the shutter or the file picker to a page that the person looked at: one
// page at a time, one state at a time.
import { Camera } from "./camera";
import { newDraft, prepare, type Draft, type Prepared } from "./draft";
import { element, painted, show, type Status, type Words } from "./elements";
import type { Outbox } from "./outbox";
import { documentSide, kindOf, locked } from "./picture";
import { brightEnough, measure, printOf, same, sharpEnough, type Quality } from "./quality";

type Step = "start" | "camera" | "review";

// After so many photographs of one page the advice helps no more.
const retakesAdvised = 2;

// Why no camera opened, by the name of the DOMException.
const cameraFaults: Record<string, string> = {
  NotAllowedError: "camera-refused",
  NotFoundError: "camera-none",
  OverconstrainedError: "camera-none",
  NotReadableError: "camera-busy",
  AbortError: "camera-busy",
};

export class Capture {
  private step: Step = "start";
  private draft: Draft | undefined;
  private queue: File[] = [];
  private preparing = false;
  private busy = false;
  private preview = "";
  private retakes = 0;
  private judged: Promise<Quality> | undefined; // of the draft
  private prints: Uint8Array[] = []; // of the pages that were sent

  private readonly camera = new Camera(element<HTMLVideoElement>("video"));
  private readonly image = element<HTMLImageElement>("preview");
  private readonly file = element<HTMLInputElement>("file");
  private readonly ownFile = element<HTMLInputElement>("own-file");
  private readonly asked = element<HTMLSelectElement>("asked");
  private readonly label = element<HTMLSelectElement>("label");
  private readonly torch = element<HTMLButtonElement>("torch");
  private readonly take = element<HTMLButtonElement>("take");
  private readonly shutter = element<HTMLButtonElement>("shutter");
  private readonly sendButton = element<HTMLButtonElement>("send");
  private readonly retake = element<HTMLButtonElement>("retake");
  private readonly settings = element("settings").dataset;

  constructor(
    private readonly words: Words,
    private readonly status: Status,
    private readonly outbox: Outbox,
  ) {
    this.enhance();
  }

  // enhance puts the script's way in front of the plain form's.
  private enhance(): void {
    for (const part of document.querySelectorAll<HTMLElement>("[data-plain]")) show(part, false);
    for (const part of document.querySelectorAll<HTMLElement>("[data-script]")) show(part, Camera.available());
    this.file.multiple = true;
    this.file.required = false;
    const form = element("file-form");
    form.classList.add("scripted");
    form.addEventListener("submit", (event) => event.preventDefault());
    // The first way is the camera, where there is one.
    element("file-label").classList.add("button");
    element("file-label").classList.toggle("second", Camera.available());
    this.take.addEventListener("click", () => void this.openCamera());
    this.shutter.addEventListener("click", () => void this.shoot());
    this.torch.addEventListener("click", () => void this.toggleTorch());
    this.asked.addEventListener("change", () => this.frame());
    element("camera-back").addEventListener("click", () => this.leaveCamera());
    this.retake.addEventListener("click", () => this.again());
    this.sendButton.addEventListener("click", () => void this.send());
    for (const input of [this.file, this.ownFile]) input.addEventListener("change", () => this.chosen(input));
    this.camera.lost = () => this.noCamera("camera-busy");
    document.addEventListener("visibilitychange", () => this.visibility());
    window.addEventListener("pagehide", () => this.forget());
    window.addEventListener("beforeunload", (event) => {
      if (this.draft && !this.outbox.closed) event.preventDefault();
    });
    this.outbox.drafting = () => this.preparing || this.draft !== undefined || this.queue.length > 0;
    if (this.outbox.count > 0) this.take.textContent = this.words.say("more-pages");
  }

  private go(step: Step): void {
    this.step = step;
    // Through the review it stays on: iOS asks again each time it is opened.
    if (step === "start") this.hide();
    if (step !== "review") this.drop();
    show(element("start"), step === "start");
    show(element("camera"), step === "camera");
    show(element("review"), step === "review");
    show(element("pages"), step === "start" && this.outbox.count > 0);
    show(element("own"), false);
    // The words of the office and the page's title make way for the picture.
    document.body?.classList.toggle("close-up", step !== "start");
    window.scrollTo?.(0, 0);
    element(`${step}-heading`).focus();
  }

  // openCamera says what is left to say of the page before, or else that the
  // phone may ask.
  private async openCamera(said = ""): Promise<void> {
    this.outbox.warm();
    this.status.say(said || this.words.say("opening"));
    element("camera-back").textContent = this.words.say(this.any() ? "no-more" : "back");
    this.frame();
    this.go("camera");
    this.shutter.disabled = true;
    try {
      if (!(await this.camera.open())) return;
      this.shutter.disabled = false;
      show(this.torch, this.camera.canLight);
      this.unsay(this.words.say("opening"));
    } catch (fault) {
      if (this.step !== "camera") return;
      this.noCamera(cameraFaults[fault instanceof DOMException ? fault.name : ""] ?? "camera-failed");
    }
  }

  // noCamera leaves the other ways: a file, and the phone's own camera unless
  // there is none.
  private noCamera(word: string): void {
    if (this.step === "camera") this.go("start");
    this.status.say(this.words.say(word), true);
    show(element("own"), word !== "camera-none");
  }

  private leaveCamera(): void {
    this.retakes = 0;
    this.go("start");
    this.unsay(this.words.say("next-page"));
    this.unsay(this.words.say("opening"));
    if (this.outbox.count > 0) element("pages-heading").focus();
  }

  // unsay takes back the words at the end of what was said last: what the
  // outbox said meanwhile, or before them, stays.
  private unsay(words: string): void {
    const { said } = this.status;
    if (said.endsWith(words)) this.status.say(said.slice(0, -words.length).trim());
  }

  private any(): boolean {
    return this.prints.length > 0 || this.outbox.count > 0;
  }

  // frame names in the viewfinder what belongs there.
  private frame(): void {
    const name = this.asked.value && this.asked.selectedOptions[0]?.textContent;
    element("asked-name").textContent = name || this.words.say("your-paper");
  }

  private async toggleTorch(): Promise<void> {
    const on = this.torch.getAttribute("aria-pressed") !== "true";
    try {
      await this.camera.light(on);
      this.torch.setAttribute("aria-pressed", String(on));
    } catch {
      show(this.torch, false); // it promised a lamp that it cannot turn on
    }
  }

  private async shoot(): Promise<void> {
    if (this.busy) return;
    this.work(true);
    this.status.say(this.words.say("working"));
    show(element("busy"), true);
    try {
      await painted();
      const { content, sample } = await this.camera.still(this.longSide());
      if (this.step !== "camera") return;
      const draft = newDraft(content, { shown: true, fromCamera: true, label: this.asked.value });
      this.look({ draft, sample });
    } catch {
      // A page that was hidden meanwhile opens the camera again by itself.
      if (this.camera.on) this.noCamera("camera-failed");
    } finally {
      show(element("busy"), false);
      this.work(false);
    }
  }

  private chosen(input: HTMLInputElement): void {
    this.queue = Array.from(input.files ?? []);
    input.value = "";
    this.outbox.warm();
    void this.next();
  }

  // next takes the next of the chosen files, if there is one; said is what
  // the person should hear of those before, trouble whether it is bad news.
  private async next(said = "", trouble = false): Promise<void> {
    const file = this.queue.shift();
    if (!file) return this.outbox.drafted();
    if (!said) this.status.say(this.words.say("working"));
    this.prepares(true);
    try {
      await this.open(file, said, trouble);
    } finally {
      this.prepares(false);
    }
  }

  private async open(file: File, said: string, trouble: boolean): Promise<void> {
    const kind = await kindOf(file).catch(() => undefined);
    if (file.size === 0) return this.refuse(file, "page-empty", said);
    if (!kind) return this.refuse(file, "page-type", said);
    if (kind === "pdf" && (await locked(file).catch(() => false))) return this.refuse(file, "pdf-locked", said);
    // It is read whole. A picture that is drawn anew shrinks, but hardly to a quarter.
    if (file.size > 4 * Number(this.settings["pageBytes"])) return this.refuse(file, "page-too-big", said);
    const prepared = await prepare(file, kind, this.longSide()).catch(() => undefined);
    if (!prepared) return this.refuse(file, "page-damaged", said);
    if (prepared.draft.content.size > Number(this.settings["pageBytes"])) return this.refuse(file, "page-too-big", said);
    this.look(prepared, kind === "pdf", said, trouble);
  }

  // refuse names the one file that cannot be sent and goes on with the others.
  private refuse(file: File, word: string, said: string): Promise<void> {
    const refusal = this.words.say("not-sent", { file: file.name, why: this.words.say(word) });
    const all = said ? `${said} ${refusal}` : refusal;
    this.prepares(false);
    this.go("start");
    this.status.say(all, true);
    return this.next(all, true);
  }

  private look({ draft, sample }: Prepared, pdf = false, said = "", trouble = false): void {
    element("question").textContent = this.words.say(draft.shown ? "review" : "review-file");
    this.go("review");
    this.status.say(said, trouble);
    this.draft = draft;
    this.label.value = draft.label;
    this.retake.textContent = this.words.say(draft.fromCamera ? "retake" : "not-this");
    show(element("as-is"), !draft.shown);
    show(element("pdf-all"), pdf);
    this.prefer(this.sendButton);
    this.showPreview();
    this.judged = this.judge(draft, sample);
    this.advise(draft, this.judged, said).catch(() => undefined);
  }

  // judge measures the picture while the person looks at it.
  private async judge(draft: Draft, sample: ImageData | undefined): Promise<Quality> {
    if (!sample) return { sharpness: Infinity, brightness: Infinity, print: await printOf(draft.content) };
    await painted();
    return measure(sample);
  }

  // advise asks; the person decides.
  private async advise(draft: Draft, judged: Promise<Quality>, said: string): Promise<void> {
    const quality = await judged;
    if (this.draft !== draft || this.busy) return;
    let word = "";
    if (this.prints.some((sent) => same(sent, quality.print))) word = "twice";
    else if (quality.brightness < brightEnough) word = "dark";
    else if (quality.sharpness < sharpEnough) word = "blurry";
    if (!word) return;
    if (word !== "twice") {
      const enough = draft.fromCamera && this.retakes >= retakesAdvised;
      if (enough) word = "own";
      else this.prefer(this.retake);
      show(element("own"), enough);
    }
    this.status.say(`${said} ${this.words.say(word)}`.trim(), true);
  }

  // prefer makes one of the review's two buttons the loud one.
  private prefer(loud: HTMLButtonElement): void {
    for (const button of [this.sendButton, this.retake]) button.classList.toggle("second", button !== loud);
  }

  private again(): void {
    if (this.draft?.fromCamera) {
      this.retakes++;
      this.asked.value = this.label.value;
      void this.openCamera();
      return;
    }
    this.go("start");
    this.status.say("");
    void this.next();
  }

  private async send(): Promise<void> {
    const draft = this.draft;
    if (!draft || this.busy) return;
    draft.label = this.label.value;
    const judged = this.judged;
    this.work(true);
    this.status.say(this.words.say("locking"));
    await this.outbox.add(draft);
    this.work(false);
    judged?.then(({ print }) => this.prints.push(print)).catch(() => undefined);
    this.added(draft, this.status.said);
  }

  // added goes on with the next page, the way this one came.
  private added(draft: Draft, said: string): void {
    this.take.textContent = this.words.say("more-pages");
    element("start-heading").textContent = this.words.say("more");
    this.retakes = 0;
    this.asked.value = "";
    if (draft.fromCamera) {
      void this.openCamera(`${said} ${this.words.say("next-page")}`.trim());
      return;
    }
    this.go("start");
    this.status.say(said);
    void this.next(said);
  }

  // prepares keeps the person from beginning a page while another is opened:
  // the one would take the other's place.
  private prepares(now: boolean): void {
    this.preparing = now;
    for (const way of [this.take, this.file, this.ownFile]) way.disabled = now;
  }

  private work(busy: boolean): void {
    this.busy = busy;
    this.ownFile.disabled = busy;
    for (const button of [this.sendButton, this.retake]) button.disabled = busy;
    // Until the camera is open there is nothing to take.
    this.shutter.disabled = busy || (this.step === "camera" && !this.camera.on);
    this.label.disabled = busy;
  }

  private drop(): void {
    this.hidePreview();
    this.draft = this.judged = undefined;
    this.outbox.drafted();
    this.label.disabled = false;
  }

  private showPreview(): void {
    this.hidePreview();
    if (!this.draft?.shown) return;
    this.preview = URL.createObjectURL(this.draft.content);
    this.image.src = this.preview;
    show(this.image, true);
  }

  private hidePreview(): void {
    show(this.image, false);
    this.image.removeAttribute("src");
    if (this.preview) URL.revokeObjectURL(this.preview);
    this.preview = "";
  }

  // A page that nobody looks at holds neither the camera nor a picture on the
  // screen. The photograph itself stays in memory: a phone call in between
  // must not cost it.
  private visibility(): void {
    if (document.hidden) return this.hide();
    if (this.step === "review") this.showPreview();
    if (this.step === "camera") void this.openCamera();
  }

  private hide(): void {
    this.camera.close();
    this.torch.setAttribute("aria-pressed", "false");
    this.hidePreview();
  }

  // forget leaves nothing in the memory of a page that the browser keeps for
  // "Back" when the person is done, or left.
  private forget(): void {
    this.hide();
    this.drop();
    this.queue = this.prints = [];
  }

  private longSide(): number {
    return documentSide(Number(this.settings["longSide"]) || 2400);
  }
}
