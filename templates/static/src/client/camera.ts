// The camera inside the page: nothing is put into the phone's gallery.
import { tellCamera } from "./told";
import { decode, redrawStill, scaleTo, type Still } from "./picture";

interface PhotoSettings {
  imageWidth: number;
  imageHeight: number;
}
interface PhotoAbility {
  imageWidth?: { max: number };
  imageHeight?: { max: number };
}
interface PhotoCapture {
  getPhotoCapabilities(): Promise<PhotoAbility>;
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

// The sensor is asked for so much more than is kept: it offers steps, and
// decoding all of 12 megapixels takes a slow phone half a second.
const photoMargin = 1.4;

const photoPatience = 5_000; // milliseconds

export class Camera {
  private stream: MediaStream | undefined;
  private wanted = 0;
  private capture: PhotoCapture | undefined;
  private ability: Promise<PhotoAbility | undefined> | undefined;

  // lost is called when something else takes the camera away.
  lost = (): void => undefined;

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
    const track = stream.getVideoTracks()[0];
    track?.addEventListener("ended", () => {
      if (this.stream !== stream) return;
      this.close();
      this.lost();
    });
    // Asked now: after the shutter each moment counts.
    if (track && window.ImageCapture) {
      this.capture = new window.ImageCapture(track);
      this.ability = within(photoPatience, this.capture.getPhotoCapabilities()).catch(() => undefined);
    }
    this.video.srcObject = stream;
    await this.video.play();
    tellCamera();
    return true;
  }

  get on(): boolean {
    return this.stream !== undefined;
  }

  // canLight tells whether the phone's lamp may be turned on.
  get canLight(): boolean {
    const track = this.stream?.getVideoTracks()[0];
    return (track?.getCapabilities?.() as { torch?: boolean } | undefined)?.torch === true;
  }

  async light(on: boolean): Promise<void> {
    const torch = { advanced: [{ torch: on }] } as unknown as MediaTrackConstraints;
    await this.stream?.getVideoTracks()[0]?.applyConstraints(torch);
  }

  close(): void {
    this.wanted++;
    if (!this.stream) return;
    stop(this.stream);
    this.stream = this.capture = this.ability = undefined;
    this.video.srcObject = null;
  }

  // still gives one photograph as JPEG. The moving picture stands still
  // meanwhile: the person sees what was caught.
  async still(longSide: number): Promise<Still> {
    const width = this.video.videoWidth;
    const height = this.video.videoHeight;
    if (!this.stream || !width || !height) throw new Error("camera");
    this.video.pause();
    const photo = await this.photo(longSide, width, height).catch(() => undefined);
    if (photo) {
      try {
        const picture = await decode(photo);
        try {
          if (kept(longSide, picture.width, picture.height) > kept(longSide, width, height)) return await redrawStill(picture, longSide);
        } finally {
          picture.release();
        }
      } catch {
        // The picture on the screen is there all the same.
      }
    }
    return redrawStill({ image: this.video, width, height }, longSide);
  }

  // photo asks the sensor for a picture of its own where more of it would be
  // kept than of the moving picture.
  private async photo(longSide: number, videoWidth: number, videoHeight: number): Promise<Blob | undefined> {
    const able = await this.ability;
    const width = able?.imageWidth?.max ?? 0;
    const height = able?.imageHeight?.max ?? 0;
    if (!this.capture || !width || !height) return undefined;
    if (kept(longSide, width, height) <= kept(longSide, videoWidth, videoHeight)) return undefined;
    const scale = Math.min(
      1,
      (longSide * photoMargin) / Math.max(width, height),
      Math.sqrt(photoPixels / (width * height)),
    );
    const settings = { imageWidth: Math.floor(width * scale), imageHeight: Math.floor(height * scale) };
    return within(photoPatience, this.capture.takePhoto(settings));
  }
}

// kept is how many pixels are left of a picture when it is drawn anew.
function kept(longSide: number, width: number, height: number): number {
  return width * height * scaleTo(longSide, width, height) ** 2;
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
