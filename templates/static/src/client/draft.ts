// What waits for "Send this page".
import { decode, redrawStill, type Kind } from "./picture";
import { newKey } from "./send";

export interface Draft {
  key: string;
  content: Blob;
  label: string; // what the person says that it is; empty if nothing
  shown: boolean; // this browser can show it
  serverSeals: boolean; // the server must look at it
  fromCamera: boolean;
}

export function newDraft(content: Blob, traits: Partial<Draft> = {}): Draft {
  return { key: newKey(), content, label: "", shown: false, serverSeals: false, fromCamera: false, ...traits };
}

// Prepared is a draft and, of a picture, what its quality is measured by.
export interface Prepared {
  draft: Draft;
  sample?: ImageData;
}

// prepare draws a chosen picture anew, which leaves place and time behind.
// What this browser cannot draw goes as it is: a PDF or HEIC sealed here, any
// other picture through the server, which takes the metadata off. It is read
// now, and rejects if it cannot be: the file may be gone when it is sent.
export async function prepare(file: Blob, kind: Kind, longSide: number): Promise<Prepared> {
  if (kind === "pdf") return { draft: newDraft(await inMemory(file)) };
  try {
    const picture = await decode(file);
    try {
      const { content, sample } = await redrawStill(picture, longSide);
      return { draft: newDraft(content, { shown: true }), sample };
    } finally {
      picture.release();
    }
  } catch {
    return { draft: newDraft(await inMemory(file), { serverSeals: kind !== "heic" }) };
  }
}

async function inMemory(file: Blob): Promise<Blob> {
  return new Blob([await file.arrayBuffer()], { type: file.type });
}
