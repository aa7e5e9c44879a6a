const smallest = 0.05;
const largest = 8;

// Picture shows one picture in a stage that scrolls: it can be zoomed, turned
// and dragged.
export class Picture {
  readonly shown: Promise<void>;
  private readonly image = document.createElement("img");
  private readonly box = document.createElement("div");
  private readonly ending = new AbortController();
  private scale = 0; // CSS pixels for each pixel of the picture; 0 fits the stage
  // laid is told how large the picture is shown, in percent.
  laid: (percent: number) => void = () => undefined;

  constructor(private readonly stage: HTMLElement, url: string, name: string, private degrees: number) {
    this.image.alt = name;
    this.image.draggable = false;
    this.box.className = "picture";
    this.box.append(this.image);
    this.stage.replaceChildren(this.box);
    this.shown = new Promise((resolve, reject) => {
      this.image.addEventListener("load", () => {
        this.lay();
        resolve();
      });
      this.image.addEventListener("error", reject);
    });
    this.image.src = url;
    this.drag();
    const resized = new ResizeObserver(() => this.lay());
    resized.observe(stage);
    this.ending.signal.addEventListener("abort", () => resized.disconnect());
  }

  // leave ends listening; the stage belongs to the next page.
  leave(): void {
    this.ending.abort();
  }

  fit(): void {
    this.scale = 0;
    this.lay();
  }

  turn(degrees: number): void {
    this.degrees = degrees;
    this.lay();
  }

  percent(): number {
    return this.image.naturalWidth ? Math.round(this.now() * 100) : 100;
  }

  // zoomBy keeps the middle of what is seen in the middle.
  zoomBy(factor: number): void {
    const { stage } = this;
    const x = (stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth;
    const y = (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight;
    this.scale = Math.min(largest, Math.max(smallest, this.now() * factor));
    this.lay();
    stage.scrollLeft = x * stage.scrollWidth - stage.clientWidth / 2;
    stage.scrollTop = y * stage.scrollHeight - stage.clientHeight / 2;
  }

  // thumbnail draws the picture small.
  thumbnail(edge: number): HTMLCanvasElement | null {
    const { naturalWidth: width, naturalHeight: height } = this.image;
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d");
    if (!context || !width || !height) return null;
    const by = Math.min(1, edge / Math.max(width, height));
    canvas.width = Math.max(1, Math.round(width * by));
    canvas.height = Math.max(1, Math.round(height * by));
    context.imageSmoothingQuality = "high";
    context.drawImage(this.image, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  private lying(): boolean {
    return this.degrees % 180 !== 0;
  }

  private now(): number {
    if (this.scale) return this.scale;
    const width = this.lying() ? this.image.naturalHeight : this.image.naturalWidth;
    const height = this.lying() ? this.image.naturalWidth : this.image.naturalHeight;
    // A small picture is not blown up.
    return Math.min(1, this.stage.clientWidth / width, this.stage.clientHeight / height);
  }

  private lay(): void {
    const { naturalWidth, naturalHeight } = this.image;
    if (!naturalWidth || !naturalHeight) return;
    const scale = this.now();
    const width = naturalWidth * scale;
    const height = naturalHeight * scale;
    this.box.style.width = (this.lying() ? height : width) + "px";
    this.box.style.height = (this.lying() ? width : height) + "px";
    this.image.style.width = width + "px";
    this.image.style.height = height + "px";
    this.image.style.transform = `translate(-50%, -50%) rotate(${this.degrees}deg)`;
    this.laid(this.percent());
    this.stage.classList.toggle("drags", this.box.offsetWidth > this.stage.clientWidth || this.box.offsetHeight > this.stage.clientHeight);
  }

  // drag moves the picture under a mouse; fingers scroll by themselves.
  private drag(): void {
    const { stage } = this;
    const { signal } = this.ending;
    stage.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0 || !this.box.contains(event.target as Node)) return;
      stage.setPointerCapture(event.pointerId);
    }, { signal });
    stage.addEventListener("pointermove", (event) => {
      if (!stage.hasPointerCapture(event.pointerId)) return;
      stage.scrollLeft -= event.movementX;
      stage.scrollTop -= event.movementY;
    }, { signal });
    stage.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1);
    }, { signal, passive: false });
  }
}
