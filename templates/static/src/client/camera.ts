// The camera inside the page: nothing is put into the phone's gallery.
import { decode, redraw } from "./picture";

interface PhotoSettings {
  imageWidth: number;
  imageHeight: number;
}
interface PhotoCapture {
  getPhotoCapabilities(): Promise<{ imageWidth?: { max: number }; imageHeight?: { max: number } }>;
  takePhoto(settings?: PhotoSettings): Promise<Blob>;
}
declare global {
  interface Window {
    ImageCapture?: new (track: MediaStreamTrack) => PhotoCapture;
  }
}

// More pixels than this are never asked of the sensor: the page is scaled
// down afterwards, and a 50-megapixel picture ends a small phone's browser.
const photoPixels = 16_000_000;

const photoPatience = 6_000; // milliseconds

export class Camera {
  private stream: MediaStream | undefined;
  private wanted = 0;

  constructor(private readonly video: HTMLVideoElement) {}

  static available(): boolean {
    return typeof navigator.mediaDevices?.getUserMedia === "function";
  }

  // open shows the rear camera at its best resolution. `ideal` and not
  // `exact`: some phones refuse what they call exact. It gives false if the
  // camera was closed while the person was being asked.
  async open(): Promise<boolean> {
    const turn = ++this.wanted;
    if (this.stream) {
      await this.video.play(); // a hidden video is paused by some phones
      return true;
    }
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: "environment" }, width: { ideal: 4096 }, height: { ideal: 2160 } },
    });
    if (turn !== this.wanted) {
      stop(stream);
      return false;
    }
    this.stream = stream;
    this.video.srcObject = stream;
    await this.video.play();
    return true;
  }

  close(): void {
    this.wanted++;
    if (!this.stream) return;
    stop(this.stream);
    this.stream = undefined;
    this.video.srcObject = null;
  }

  // still gives one photograph as JPEG.
  async still(longSide: number): Promise<Blob> {
    const width = this.video.videoWidth;
    const height = this.video.videoHeight;
    if (!this.stream || !width || !height) throw new Error("camera");
    const photo = await this.photo(width * height).catch(() => undefined);
    if (photo) {
      try {
        const picture = await decode(photo);
        try {
          if (picture.width * picture.height > width * height) return await redraw(picture, longSide);
        } finally {
          picture.release();
        }
      } catch {
        // The picture on the screen is there all the same.
      }
    }
    return redraw({ image: this.video, width, height }, longSide);
  }

  // photo asks the sensor for its full resolution where that is more than
  // the moving picture has.
  private async photo(pixels: number): Promise<Blob | undefined> {
    const track = this.stream?.getVideoTracks()[0];
    if (!track || !window.ImageCapture) return undefined;
    const capture = new window.ImageCapture(track);
    const able = await within(photoPatience, capture.getPhotoCapabilities());
    const width = able.imageWidth?.max ?? 0;
    const height = able.imageHeight?.max ?? 0;
    if (width * height <= pixels) return undefined;
    const scale = Math.min(1, Math.sqrt(photoPixels / (width * height)));
    const settings = { imageWidth: Math.floor(width * scale), imageHeight: Math.floor(height * scale) };
    return within(photoPatience, capture.takePhoto(settings));
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("timeout")), milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
