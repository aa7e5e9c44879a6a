// One page in the outbox.
import type { Sealed } from "./seal";

export type State = "locking" | "waiting" | "sending" | "received" | "needs";

export interface Item {
  key: string;
  label: string;
  state: State;
  share: number; // of what is sent, 0 to 1
  why: string; // what it needs
  old: boolean; // from before this page was loaded
  kept: boolean; // its sealed bytes are on the shelf
  shelved: boolean; // they were, so that another window may have sent them
  gone: boolean; // taken back; until the server was told, it can come again
  goneAt: number; // when, in ms
  noted: boolean; // that it was taken back stands on the shelf, or is being written there
  heard: boolean; // it was taken back in another window, where it may be undone
  thumb?: Blob | undefined;
  print?: Uint8Array | undefined; // by which it is known again
  plain?: Blob | undefined; // until it is received, or its sealed bytes are on the shelf
  sealed?: Sealed | undefined; // unless on the shelf
  digest: string;
  serverSeals: boolean;
  told: string | undefined; // the label that the server has
  tries: number;
  refused: number;
  missed: number; // removals that failed
  stays: boolean; // taken back, but the server has it still and will not hear of that
  hold?: ReturnType<typeof setTimeout>; // until then
  release?: (() => void) | undefined; // of the lock by which other windows know that it may be undone here
  due?: boolean; // gone, and the server may be told
  telling?: boolean; // the server is being told, as the person leaves
  acts?: Promise<void>; // with the shelf, one after the other
}

export function blank(key: string, label: string): Item {
  return {
    key, label, state: "waiting", share: 0, why: "", old: false, kept: false, shelved: false, gone: false, goneAt: 0, noted: false,
    heard: false, digest: "", serverSeals: false, told: undefined, tries: 0, refused: 0, missed: 0, stays: false,
  };
}

// sendable tells whether there is anything left of a page to send.
export function sendable(item: Item): boolean {
  return item.kept || item.sealed !== undefined || item.plain !== undefined;
}

// readable reads a file to see whether it can be: phones take away what they
// had lent, a cloud's file or one of a closed app.
export async function readable(file: Blob): Promise<boolean> {
  return file.arrayBuffer().then(() => true, () => false);
}
