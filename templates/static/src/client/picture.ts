// Pictures and files: what they are by their first bytes, and drawing them
// anew as JPEG, which leaves place, time and phone model behind.

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

// iOS gives up on canvases above this many pixels.
const canvasPixels = 16_700_000;

// A letter stays readable in this quality at half the bytes of 0.95.
const quality = 0.85;

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

// redraw draws a picture on a canvas no longer than longSide and gives a
// JPEG. The canvas is given back at once: one of 12 megapixels holds 48 MB.
export async function redraw(source: Drawable, longSide: number): Promise<Blob> {
  const scale = Math.min(
    1,
    longSide / Math.max(source.width, source.height),
    Math.sqrt(canvasPixels / (source.width * source.height)),
  );
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
    return await new Promise<Blob>((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("canvas"))), "image/jpeg", quality);
    });
  } finally {
    canvas.width = canvas.height = 0;
  }
}
