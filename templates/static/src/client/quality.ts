// What the page can tell of a picture by itself: blurred, dark, or the same
// as one before. It advises and never refuses: a person sees more than this.

// A picture is measured at this width: letters of a full page are a few
// pixels high then, and a slow phone takes a tenth of a second for it.
export const measuredWidth = 960;

// Sharpness is the variance of the Laplacian at that width, in parts of the
// picture: a card with three lines on it is as sharp as a page full of print.
// The fourth of the sharpest parts counts; one glint is not a page. Print in
// focus has 1500 to 17,000 there, three lines on a sheet as much, with a blur of
// one pixel, which can be read, 490, of two pixels 110, most of it noise.
const parts = 8; // each way
const place = 3;
export const sharpEnough = 250;

// Brightness, 0 to 255, that 5 percent of the pixels exceed: paper in a lit
// room has 170 and more, at two fifths of that light 92 and can be read, at a
// quarter 58.
export const brightEnough = 80;

// A print is the brightness of a picture in this many fields, each way.
const fields = 48;

// Two pictures of a camera that nobody moved differ by less than this in
// every field. Two pay stubs differ by more in the fields where their numbers
// are: to call them the same would keep one from being sent.
const tolerance = 6;

// The work is done in turns of this length, so that taps are answered.
const turn = 12; // milliseconds

export interface Quality {
  sharpness: number;
  brightness: number;
  print: Uint8Array;
}

export async function measure(sample: ImageData): Promise<Quality> {
  const { width, height, data } = sample;
  const luma = new Uint8Array(width * height);
  const counts = new Uint32Array(256);
  const sums = new Float64Array(fields * fields);
  const sizes = new Uint32Array(fields * fields);
  const edges = Array.from({ length: parts * parts }, () => ({ sum: 0, squares: 0, count: 1 }));
  let begun = performance.now();
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const band = Math.floor((y * fields) / height) * fields;
    for (let x = 0; x < width; x++) {
      const at = (row + x) * 4;
      const bright = ((data[at] ?? 0) * 77 + (data[at + 1] ?? 0) * 151 + (data[at + 2] ?? 0) * 28) >> 8;
      const field = band + Math.floor((x * fields) / width);
      luma[row + x] = bright;
      counts[bright]!++;
      sums[field]! += bright;
      sizes[field]!++;
    }
    // The row before has both of its neighbors now.
    const across = Math.floor(((y - 1) * parts) / height) * parts;
    for (let x = 1; y > 1 && x < width - 1; x++) {
      const at = row - width + x;
      const edge = 4 * luma[at]! - luma[at - 1]! - luma[at + 1]! - luma[at - width]! - luma[at + width]!;
      const part = edges[across + Math.floor((x * parts) / width)]!;
      part.sum += edge;
      part.squares += edge * edge;
      part.count++;
    }
    if (performance.now() - begun > turn) {
      await new Promise((resolve) => setTimeout(resolve));
      begun = performance.now();
    }
  }
  const variances = edges.map(({ sum, squares, count }) => squares / count - (sum / count) ** 2);
  return {
    sharpness: variances.sort((one, other) => other - one)[place]!,
    brightness: percentile(counts, width * height * 0.95),
    print: Uint8Array.from(sums, (total, field) => total / Math.max(1, sizes[field]!)),
  };
}

function percentile(counts: Uint32Array, share: number): number {
  let seen = 0;
  return counts.findIndex((count) => (seen += count) >= share);
}

// printOf is the print of what this browser cannot draw: only the very same
// bytes have it.
export async function printOf(file: Blob): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
}

export function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((field, at) => Math.abs(field - other[at]!) <= tolerance);
}
