// From the shutter or the file picker to a page that the person looked at: one
// page at a time, one state at a time.
import { Camera } from "./camera";
import { newDraft, prepare, type Draft, type Prepared } from "./draft";
import { element, painted, show, type Words } from "./elements";
import type { Outbox } from "./outbox";
import { documentSide, kindOf, locked } from "./picture";
import { brightEnough, measure, printOf, same, sharpEnough, type Quality } from "./quality";
import type { Status } from "./status";

type Step = "start" | "camera" | "preparing" | "review";

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
  private refused: string[] = []; // what is said of the chosen files that cannot be sent
  private preparing = false;
  private busy = false;
  private preview = "";
  private retakes = 0;
  private print: Uint8Array | undefined; // of the draft

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
    this.own(false);
    if (this.settings["inApp"] && !Camera.available()) this.write("fault", this.words.say("in-app"));
    this.take.addEventListener("click", () => {
      this.begin();
      void this.openCamera();
    });
    this.shutter.addEventListener("click", () => void this.shoot());
    this.torch.addEventListener("click", () => void this.toggleTorch());
    this.asked.addEventListener("change", () => this.frame());
    element("camera-back").addEventListener("click", () => this.leaveCamera());
    this.retake.addEventListener("click", () => this.again());
    this.sendButton.addEventListener("click", () => void this.send());
    for (const input of [this.file, this.ownFile]) input.addEventListener("change", () => this.chosen(input));
    // In the review the picture is there; the next page opens it again.
    this.camera.lost = () => this.step === "camera" && this.noCamera("camera-busy");
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
    for (const one of ["start", "camera", "preparing", "review"]) show(element(one), one === step);
    show(element("overview"), step === "start"); // whatever ends the session is there
    this.own(false);
    this.status.reserve(this.outbox.pending > 0);
    // The words of the office and the page's title make way for the picture.
    document.body?.classList.toggle("close-up", step !== "start");
    window.scrollTo?.(0, 0);
    element(`${step}-heading`).focus();
  }

  // begin takes what was said of the pages before off the screen.
  private begin(): void {
    this.refused = [];
    for (const place of ["status", "fault", "refusals"]) this.write(place, "");
  }

  // write puts words into a place of their own, or takes the place away.
  private write(place: string, words: string): void {
    element(place).textContent = words;
    show(element(place), words !== "");
  }

  private async openCamera(): Promise<void> {
    this.outbox.warm();
    this.write("fault", "");
    this.write("next", this.any() ? this.words.say("next-page") : "");
    show(element("tips"), !this.any());
    element("camera-back").textContent = this.words.say(this.any() ? "no-more" : "back");
    this.frame();
    this.go("camera");
    if (!this.camera.on) this.opening(true);
    this.shutter.disabled = true;
    try {
      if (!(await this.camera.open())) return;
      this.opening(false);
      this.shutter.disabled = false;
      show(this.torch, this.camera.canLight);
      if (this.any()) this.status.say(this.words.say("next-page"));
    } catch (fault) {
      if (this.step !== "camera") return;
      this.noCamera(cameraFaults[fault instanceof DOMException ? fault.name : ""] ?? "camera-failed");
    }
  }

  // opening says that the phone may ask. What lies on the moving picture has
  // its place once that has its size.
  private opening(now: boolean): void {
    show(element("opening"), now);
    element("viewfinder").classList.toggle("blind", now);
    if (now) this.status.say(this.words.say("opening"), { passing: true });
  }

  // own offers the phone's own camera: where pages are added always, if the
  // browser has none inside the page.
  private own(wanted: boolean): void {
    show(element("own"), wanted || (this.step === "start" && !Camera.available()));
  }

  // noCamera leaves the other ways: a file, and the phone's own camera unless
  // there is none.
  private noCamera(word: string): void {
    if (this.step === "camera") this.go("start");
    const words = this.words.say(this.settings["inApp"] ? "in-app" : word);
    this.write("fault", words);
    this.status.say(words);
    this.own(word !== "camera-none");
  }

  private leaveCamera(): void {
    this.retakes = 0;
    this.go("start");
    if (this.outbox.count > 0) element("pages-heading").focus();
  }

  private any(): boolean {
    return this.outbox.count > 0;
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
    this.status.say(this.words.say("working"), { passing: true });
    show(element("busy"), true);
    try {
      await painted();
      const { content, sample } = await this.camera.still(this.longSide());
      if (this.step !== "camera") return;
      const draft = newDraft(content, { shown: true, fromCamera: true, label: this.asked.value });
      await this.look({ draft, sample }, "camera");
    } catch {
      // A page that was hidden meanwhile opens the camera again by itself.
      if (this.camera.on) this.noCamera("camera-failed");
    } finally {
      show(element("busy"), false);
      this.work(false);
    }
  }

  private chosen(input: HTMLInputElement): void {
    this.begin();
    this.queue = Array.from(input.files ?? []);
    input.value = "";
    this.outbox.warm();
    void this.next();
  }

  // next takes the next of the chosen files. After the last one what could not
  // be sent of them stays on the screen.
  private async next(): Promise<void> {
    const file = this.queue.shift();
    if (!file) {
      if (this.step !== "start") this.go("start");
      return this.outbox.drafted();
    }
    this.prepares(true);
    this.go("preparing"); // its heading has the focus, and is read
    try {
      await this.open(file);
    } finally {
      this.prepares(false);
    }
  }

  private async open(file: File): Promise<void> {
    const kind = await kindOf(file).catch(() => undefined);
    if (file.size === 0) return this.refuse(file, "page-empty");
    if (!kind) return this.refuse(file, "page-type");
    // It is read whole. A picture that is drawn anew shrinks, but hardly to a quarter.
    if (file.size > 4 * Number(this.settings["pageBytes"])) return this.refuse(file, "page-too-big");
    const prepared = await prepare(file, kind, this.longSide()).catch(() => undefined);
    if (!prepared) return this.refuse(file, "page-damaged");
    if (prepared.draft.content.size > Number(this.settings["pageBytes"])) return this.refuse(file, "page-too-big");
    prepared.draft.label = this.asked.value;
    const pdf = kind === "pdf";
    await this.look(prepared, "preparing", pdf, pdf && (await locked(file).catch(() => false)));
  }

  // refuse names the one file that cannot be sent and goes on with the others.
  private refuse(file: File, word: string): Promise<void> {
    const refusal = this.words.say("not-sent", { file: file.name, why: this.words.say(word) });
    this.refused.push(refusal);
    this.write("refusals", this.refused.join("\n"));
    this.status.say(refusal);
    this.prepares(false);
    return this.next();
  }

  // look shows a page with the advice about it: what came later would move the
  // button from under a thumb. A person who left meanwhile is not called back.
  private async look({ draft, sample }: Prepared, from: Step, pdf = false, encrypted = false): Promise<void> {
    const quality = await judge(draft, sample).catch(() => undefined);
    if (this.step !== from) return;
    const word = (quality && this.advice(draft, quality)) || (encrypted ? "pdf-locked" : "");
    element("question").textContent = this.words.say(draft.shown ? "review" : "review-file");
    this.write("advice", word && this.words.say(word));
    this.go("review");
    if (word) this.status.say(this.words.say(word));
    this.draft = draft;
    this.print = quality?.print;
    this.label.value = draft.label;
    this.retake.textContent = this.words.say(draft.fromCamera ? "retake" : "not-this");
    show(element("as-is"), !draft.shown);
    show(element("pdf-all"), pdf);
    this.own(word === "own");
    this.prefer(word === "dark" || word === "blurry" ? this.retake : this.sendButton);
    // Its room is there before it is drawn.
    if (sample) this.image.style.setProperty("--ratio", String(sample.width / sample.height));
    this.showPreview();
  }

  // advice asks; the person decides.
  private advice(draft: Draft, quality: Quality): string {
    if (this.outbox.prints.some((sent) => same(sent, quality.print))) return "twice";
    const dark = quality.brightness < brightEnough;
    if (!dark && quality.sharpness >= sharpEnough) return "";
    if (draft.fromCamera && this.retakes >= retakesAdvised) return "own";
    return dark ? "dark" : "blurry";
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
    void this.next();
  }

  private async send(): Promise<void> {
    const { draft, print } = this;
    if (!draft || this.busy) return;
    draft.label = this.label.value;
    this.work(true);
    this.locking(true);
    this.status.say(this.words.say("locking"), { passing: true });
    try {
      await this.outbox.add(draft, print);
    } catch {
      // In the list it is told of and can be sent; else it is still here.
      if (!this.outbox.has(draft.key)) return this.unsent();
    } finally {
      this.locking(false);
      this.work(false);
    }
    this.added(draft);
  }

  // locking says so on the button, where there is room for it.
  private locking(now: boolean): void {
    element("send-idle").classList.toggle("away", now);
    element("send-busy").classList.toggle("away", !now);
  }

  private unsent(): void {
    const words = this.words.say("unavailable");
    this.write("advice", words);
    this.status.say(words);
  }

  // added goes on with the next page, the way this one came.
  private added(draft: Draft): void {
    this.take.textContent = this.words.say("more-pages");
    element("start-heading").textContent = this.words.say("more");
    this.retakes = 0;
    this.asked.value = "";
    void (draft.fromCamera ? this.openCamera() : this.next());
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
    this.draft = this.print = undefined;
    this.outbox.drafted();
    this.label.disabled = false;
  }

  private showPreview(): void {
    this.hidePreview();
    if (!this.draft?.shown || document.hidden) return;
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
    this.queue = [];
  }

  private longSide(): number {
    return documentSide(Number(this.settings["longSide"]) || 2400);
  }
}

// judge measures a picture; any other file is only told from the ones before.
async function judge(draft: Draft, sample: ImageData | undefined): Promise<Quality> {
  if (sample) return measure(sample);
  return { sharpness: Infinity, brightness: Infinity, print: await printOf(draft.content) };
}
