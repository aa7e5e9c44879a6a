// From the shutter or the file picker to a page that the server has: one page
// at a time, one state at a time.
import { Camera } from "./camera";
import { prepare, type Draft } from "./draft";
import { element, show, type Status, type Words } from "./elements";
import type { Outbox } from "./outbox";
import { kindOf } from "./picture";
import { newKey } from "./send";

type Step = "start" | "camera" | "review";

export class Capture {
  private step: Step = "start";
  private draft: Draft | undefined;
  private queue: File[] = [];
  private busy = false;
  private preview = "";

  private readonly camera = new Camera(element<HTMLVideoElement>("video"));
  private readonly image = element<HTMLImageElement>("preview");
  private readonly file = element<HTMLInputElement>("file");
  private readonly label = element<HTMLSelectElement>("label");
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
    element("camera-back").addEventListener("click", () => this.go("start"));
    this.retake.addEventListener("click", () => this.again());
    this.sendButton.addEventListener("click", () => void this.send());
    this.file.addEventListener("change", () => this.chosen());
    document.addEventListener("visibilitychange", () => this.visibility());
    window.addEventListener("pagehide", () => this.hide());
    window.addEventListener("beforeunload", (event) => {
      if (this.draft) event.preventDefault();
    });
    if (this.outbox.count > 0) this.take.textContent = this.words.say("more-pages");
  }

  private go(step: Step): void {
    this.step = step;
    // Through the review it stays on: iOS asks again each time it is opened.
    if (step === "start") this.camera.close();
    if (step !== "review") this.drop();
    show(element("start"), step === "start");
    show(element("camera"), step === "camera");
    show(element("review"), step === "review");
    show(element("pages"), step === "start" && this.outbox.count > 0);
    element(`${step}-heading`).focus();
  }

  private async openCamera(): Promise<void> {
    this.outbox.warm();
    this.status.say(this.words.say("opening"));
    this.go("camera");
    this.shutter.disabled = true;
    try {
      if (!(await this.camera.open())) return;
      this.shutter.disabled = false;
      this.status.say("");
    } catch (fault) {
      if (this.step !== "camera") return;
      const refused = fault instanceof DOMException && fault.name === "NotAllowedError";
      this.go("start");
      this.status.say(this.words.say(refused ? "camera-refused" : "camera-failed"), true);
    }
  }

  private async shoot(): Promise<void> {
    if (this.busy) return;
    this.work(true);
    this.status.say(this.words.say("working"));
    try {
      const content = await this.camera.still(this.longSide());
      if (this.step !== "camera") return;
      this.status.say("");
      this.look({ key: newKey(), content, shown: true, serverSeals: false, fromCamera: true });
    } catch {
      this.status.say(this.words.say("camera-failed"), true);
    } finally {
      this.work(false);
    }
  }

  private chosen(): void {
    this.queue = Array.from(this.file.files ?? []);
    this.file.value = "";
    this.outbox.warm();
    void this.next();
  }

  // next takes the next of the chosen files, if there is one; said is what
  // the person should hear of those before, trouble whether it is bad news.
  private async next(said = "", trouble = false): Promise<void> {
    const file = this.queue.shift();
    if (!file) return;
    if (!said) this.status.say(this.words.say("working"));
    const kind = await kindOf(file).catch(() => undefined);
    const fault = file.size === 0 ? "page-empty" : kind ? "" : "page-type";
    if (fault || !kind) return this.refuse(file, fault, said);
    const draft = await prepare(file, kind, this.longSide());
    if (draft.content.size > Number(this.settings["pageBytes"])) return this.refuse(file, "page-too-big", said);
    this.status.say(said, trouble);
    this.look(draft);
  }

  // refuse names the one file that cannot be sent and goes on with the others.
  private refuse(file: File, word: string, said: string): Promise<void> {
    const refusal = this.words.say("not-sent", { file: file.name, why: this.words.say(word) });
    const all = said ? `${said} ${refusal}` : refusal;
    this.go("start");
    this.status.say(all, true);
    return this.next(all, true);
  }

  private look(draft: Draft): void {
    element("review-heading").textContent = this.words.say(draft.shown ? "review" : "review-file");
    this.go("review");
    this.draft = draft;
    this.label.value = "";
    this.retake.textContent = this.words.say(draft.fromCamera ? "retake" : "not-this");
    show(element("as-is"), !draft.shown);
    show(element("review-help"), draft.shown);
    this.showPreview();
  }

  private again(): void {
    const camera = this.draft?.fromCamera;
    if (camera) {
      void this.openCamera();
      return;
    }
    this.go("start");
    void this.next();
  }

  private async send(): Promise<void> {
    const draft = this.draft;
    if (!draft || this.busy) return;
    this.work(true);
    this.camera.close();
    this.status.say(this.words.say("locking"));
    draft.label = this.label.value;
    await this.outbox.add(draft);
    this.work(false);
    this.take.textContent = this.words.say("more-pages");
    element("start-heading").textContent = this.words.say("more");
    this.draft = undefined;
    this.go("start");
    void this.next();
  }

  private work(busy: boolean): void {
    this.busy = busy;
    for (const button of [this.shutter, this.sendButton, this.retake]) button.disabled = busy;
    this.label.disabled = busy;
  }

  private drop(): void {
    this.hidePreview();
    this.draft = undefined;
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
    this.hidePreview();
  }

  private longSide(): number {
    return Number(this.settings["longSide"]) || 2400;
  }
}
