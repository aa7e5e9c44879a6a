// The page's side of the sealing worker.

export interface SealOrder {
  id: number;
  recipients: string[];
  plain: ArrayBuffer;
}

// Without `sealed` the worker could not do it.
export interface SealAnswer {
  id: number;
  sealed?: ArrayBuffer;
  digest?: ArrayBuffer;
}

export interface Sealed {
  content: Blob;
  digest: string; // SHA-256, base64
}

// A slow phone seals 3 MB in a third of a second; a worker that says nothing
// for this long is not going to.
const patience = 20_000; // milliseconds

export class Sealer {
  private worker: Worker | undefined;
  private broken = false;
  private waiting = new Map<number, (answer: SealAnswer | undefined) => void>();
  private count = 0;

  constructor(
    private readonly url: string,
    public recipients: string[],
  ) {}

  // again forgets that it failed: the worker may only not have come through a
  // weak signal.
  again(): void {
    this.broken = false;
  }

  // warm loads the worker before it is needed, so that the first page does
  // not wait for it.
  warm(): void {
    if (this.worker || this.broken) return;
    if (!this.url || this.recipients.length === 0 || typeof Worker === "undefined") {
      this.broken = true;
      return;
    }
    try {
      this.worker = new Worker(this.url);
    } catch {
      this.fail();
      return;
    }
    // A script that was blocked or cut off tells only this handler.
    this.worker.onerror = () => this.fail();
    this.worker.onmessageerror = () => this.fail();
    this.worker.onmessage = (event: MessageEvent<SealAnswer>) => {
      const answer = event.data;
      this.waiting.get(answer.id)?.(answer);
    };
  }

  // seal gives undefined when this browser cannot seal; the server then does.
  async seal(plain: Blob): Promise<Sealed | undefined> {
    this.warm();
    const worker = this.worker;
    if (!worker) return undefined;
    const bytes = await plain.arrayBuffer().catch(() => undefined);
    if (!bytes) return undefined; // a file that went away meanwhile
    const id = ++this.count;
    const answer = await new Promise<SealAnswer | undefined>((resolve) => {
      const timer = setTimeout(() => this.fail(), patience);
      this.waiting.set(id, (given) => {
        clearTimeout(timer);
        this.waiting.delete(id);
        resolve(given);
      });
      if (this.broken) return this.fail();
      try {
        worker.postMessage({ id, recipients: this.recipients, plain: bytes } satisfies SealOrder, [bytes]);
      } catch {
        this.fail(); // no memory left for it
      }
    });
    if (!answer?.sealed || !answer.digest) {
      this.fail();
      return undefined;
    }
    return { content: new Blob([answer.sealed]), digest: base64(answer.digest) };
  }

  private fail(): void {
    this.broken = true;
    this.worker?.terminate();
    this.worker = undefined;
    for (const answer of [...this.waiting.values()]) answer(undefined);
  }
}

function base64(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}
