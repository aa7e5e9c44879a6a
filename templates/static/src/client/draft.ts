// What waits for "Send this page".
import { decode, redraw, type Kind } from "./picture";
import { newKey } from "./send";

export interface Draft {
  key: string;
  content: Blob;
  shown: boolean; // this browser can show it
  serverSeals: boolean; // the server must look at it
  fromCamera: boolean;
  label?: string; // what the person says it is
}

// prepare draws a chosen picture anew, which leaves place and time behind.
// What this browser cannot draw goes as it is: a PDF or HEIC sealed here, any
// other picture through the server, which takes the metadata off.
export async function prepare(file: Blob, kind: Kind, longSide: number): Promise<Draft> {
  const draft = { key: newKey(), content: file, shown: false, serverSeals: false, fromCamera: false };
  if (kind === "pdf") return draft;
  try {
    const picture = await decode(file);
    try {
      return { ...draft, content: await redraw(picture, longSide), shown: true };
    } finally {
      picture.release();
    }
  } catch {
    return { ...draft, serverSeals: kind !== "heic" };
  }
}
