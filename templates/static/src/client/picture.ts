// Pictures and files: what they are by their first bytes, and drawing them
// anew as JPEG, which leaves place, time and phone model behind.
import { measuredWidth } from "./quality";

export type Kind = "jpeg" | "png" | "webp" | "heic" | "pdf";

// Brands of HEIF files that hold HEVC pictures (ISO/IEC 23008-12); mif1 and
// msf1 name the container alone, and AVIF files use them too.
const heicBrands = ["heic", "heix", "heim", "heis", "hevc", "hevx"];
const heifBrands = ["mif1", "msf1"];

// kindOf gives undefined for anything that the office does not take. It looks
// for what the desk will look for after opening.
export async function kindOf(file: Blob): Promise<Kind | undefined> {
  const text = String.fromCharCode(...new Uint8Array(await file.slice(0, 128).arrayBuffer()));
  if (text.startsWith("\xff\xd8\xff")) return "jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "webp";
  if (/^%PDF-[1-9]/.test(text)) return "pdf";
  if (text.slice(4, 8) !== "ftyp") return undefined;
  const brand = text.slice(8, 12);
  if (heicBrands.includes(brand)) return "heic";
  return heifBrands.includes(brand) && !/avi[fs]/.test(text.slice(16)) ? "heic" : undefined;
}

// locked tells whether a PDF is encrypted; it may open without a password all
// the same, where one is only asked for changes. The trailer says so: it is at the
// end of the file, or where startxref points to, or of a file made for the
// web at its beginning. A false no costs a call from the office later, so
// nothing else of the file is read.
export async function locked(file: Blob): Promise<boolean> {
  const read = async (from: number) =>
    String.fromCharCode(...new Uint8Array(await file.slice(from, from + trailerBytes).arrayBuffer()));
  const end = await read(Math.max(0, file.size - trailerBytes));
  const parts = [end, await read(0)];
  const pointer = /startxref\s+(\d+)\s+%%EOF\s*$/.exec(end);
  if (pointer) parts.push(await read(Number(pointer[1])));
  return parts.some((part) => /\/Encrypt\s*(\d+\s+\d+\s+R|<<)/.test(part));
}
const trailerBytes = 2048;

// documentSide is the long side in pixels that a page is drawn with: fewer
// where a megabyte costs money or minutes.
export function documentSide(wanted: number): number {
  const line = (navigator as { connection?: { saveData?: boolean; effectiveType?: string } }).connection;
  const poor = line?.saveData || line?.effectiveType?.endsWith("2g");
  return poor ? Math.min(wanted, poorLongSide) : wanted;
}
const poorLongSide = 1600;

// iOS gives up on canvases above this many pixels.
const canvasPixels = 16_700_000;

// A letter stays readable in the first quality at half the bytes of 0.95, and
// small print in the last. The next one is tried for what is heavier than that:
// at 2G a megabyte takes a minute.
const qualities = [0.85, 0.75, 0.6];
const heavyBytes = 900_000;

export interface Drawable {
  image: CanvasImageSource;
  width: number;
  height: number;
}

// decode loads a picture the way the browser shows it, turned upright. It
// fails for what this browser cannot read. The URL is revoked by release.
export async function decode(content: Blob): Promise<Drawable & { release(): void }> {
  const url = URL.createObjectURL(content);
  const image = new Image();
  try {
    await new Promise<void>((resolve, reject) => {
      image.onload = () => resolve();
      image.onerror = () => reject(new Error("picture"));
      image.src = url;
    });
    if (!image.naturalWidth || !image.naturalHeight) throw new Error("picture");
  } catch (fault) {
    URL.revokeObjectURL(url);
    throw fault;
  }
  return {
    image,
    width: image.naturalWidth,
    height: image.naturalHeight,
    release() {
      URL.revokeObjectURL(url);
      image.removeAttribute("src");
    },
  };
}

export interface Still {
  content: Blob;
  sample: ImageData; // the picture at the size in which it is measured
}

// scaleTo is by how much a picture shrinks until no side is longer.
export function scaleTo(longSide: number, width: number, height: number): number {
  return Math.min(1, longSide / Math.max(width, height), Math.sqrt(canvasPixels / (width * height)));
}

// redraw draws a picture on a canvas no longer than longSide and gives a JPEG.
export function redraw(source: Drawable, longSide: number): Promise<Blob> {
  return drawn(source, longSide, encode);
}

// redrawStill does so with a page, and gives a sample of it as well.
export function redrawStill(source: Drawable, longSide: number): Promise<Still> {
  return drawn(source, longSide, async (canvas) => ({ sample: sampleOf(canvas), content: await encode(canvas) }));
}

// drawn gives the canvas back at once: one of 12 megapixels holds 48 MB.
async function drawn<T>(source: Drawable, longSide: number, use: (canvas: HTMLCanvasElement) => Promise<T>): Promise<T> {
  const scale = scaleTo(longSide, source.width, source.height);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(source.width * scale));
  canvas.height = Math.max(1, Math.round(source.height * scale));
  try {
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("canvas");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(source.image, 0, 0, canvas.width, canvas.height);
    return await use(canvas);
  } finally {
    canvas.width = canvas.height = 0;
  }
}

// encode gives the first quality that is not heavy.
async function encode(canvas: HTMLCanvasElement): Promise<Blob> {
  let content: Blob | undefined;
  for (const quality of qualities) {
    if (!content || content.size > heavyBytes) content = await jpeg(canvas, quality);
  }
  return content!;
}

function jpeg(canvas: HTMLCanvasElement, quality: number): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("canvas"))), "image/jpeg", quality);
  });
}

function sampleOf(canvas: HTMLCanvasElement): ImageData {
  const small = document.createElement("canvas");
  const scale = Math.min(1, measuredWidth / canvas.width);
  small.width = Math.max(1, Math.round(canvas.width * scale));
  small.height = Math.max(1, Math.round(canvas.height * scale));
  const context = small.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new Error("canvas");
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, small.width, small.height);
  const sample = context.getImageData(0, 0, small.width, small.height);
  small.width = small.height = 0;
  return sample;
}
