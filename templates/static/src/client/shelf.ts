// Sealed pages that wait, in IndexedDB: a reload, a crash or an empty battery
// leaves them there. Only sealed bytes are ever given to it.

export interface Kept {
  key: string;
  label: string;
  digest: string;
  base: string; // whose link's: /send/ID
  place: number; // in the list
  at: number; // when it was put here, in ms
  expires: number; // likewise
}

// Safari at times never answers the first question to IndexedDB.
const openPatience = 4_000; // milliseconds

// Two stores, so that the list can be read without the bytes.
const parcels = "parcels";
const contents = "contents";

export class Shelf {
  private database: Promise<IDBDatabase | undefined> | undefined;

  // put keeps a parcel and tells whether it is on the disk.
  async put(kept: Kept, content: ArrayBuffer): Promise<boolean> {
    const write = (list: IDBObjectStore, bytes: IDBObjectStore) => {
      list.put(kept);
      return bytes.put(content, kept.key);
    };
    // strict: written through before it counts, for the battery's sake.
    const done = await this.work("readwrite", write, "strict");
    return done !== undefined;
  }

  // note changes what is known of parcels that are still there.
  async note(changes: { key: string; label: string; place: number }[]): Promise<void> {
    await this.work("readwrite", (list) => {
      for (const change of changes) {
        const asked = list.get(change.key) as IDBRequest<Kept | undefined>;
        asked.onsuccess = () => {
          if (asked.result) list.put({ ...asked.result, ...change });
        };
      }
    });
  }

  // content gives null for what is not there any more, and undefined when
  // nobody can tell.
  async content(key: string): Promise<ArrayBuffer | null | undefined> {
    const found = await this.work("readonly", (_, bytes) => bytes.get(key) as IDBRequest<ArrayBuffer | undefined>);
    return found && (found.value ?? null);
  }

  async drop(...keys: string[]): Promise<void> {
    await this.work("readwrite", (list, bytes) => {
      for (const key of keys) {
        list.delete(key);
        bytes.delete(key);
      }
    });
  }

  // list gives the parcels of one link, or undefined when nobody can tell;
  // those of any link whose time is over are dropped.
  async list(base: string): Promise<Kept[] | undefined> {
    if (!available()) return [];
    const found = await this.work("readonly", (list) => list.getAll() as IDBRequest<Kept[]>);
    if (!found) return undefined;
    const all = found.value ?? [];
    const old = all.filter((kept) => kept.expires < Date.now());
    if (old.length > 0) await this.drop(...old.map((kept) => kept.key));
    return all.filter((kept) => kept.base === base && !old.includes(kept)).sort((a, b) => a.place - b.place || a.at - b.at);
  }

  async wipe(base: string): Promise<void> {
    const keys = ((await this.list(base)) ?? []).map((kept) => kept.key);
    if (keys.length > 0) await this.drop(...keys);
  }

  // work gives what its request gave, once the transaction is on the disk; or
  // undefined if there is no IndexedDB, or it is full, or it failed.
  private async work<T>(
    mode: IDBTransactionMode,
    act: (list: IDBObjectStore, bytes: IDBObjectStore) => IDBRequest<T> | void,
    durability: IDBTransactionDurability = "relaxed",
  ): Promise<{ value: T | undefined } | undefined> {
    for (let tries = 0; tries < 2; tries++) {
      const database = await (this.database ??= open());
      if (!database) {
        this.database = undefined; // a slow phone may answer the next time
        return undefined;
      }
      try {
        return await new Promise((resolve, reject) => {
          const change = database.transaction([parcels, contents], mode, { durability });
          const request = act(change.objectStore(parcels), change.objectStore(contents));
          change.oncomplete = () => resolve({ value: request?.result });
          change.onabort = change.onerror = () => reject(change.error);
        });
      } catch (fault) {
        // iOS cuts the connection of a page in the background: ask once more.
        if (fault instanceof DOMException && fault.name === "QuotaExceededError") return undefined;
        database.close();
        this.database = undefined;
      }
    }
    return undefined;
  }
}

// available tells whether there is a shelf at all: some browsers have none.
function available(): boolean {
  try {
    return typeof indexedDB !== "undefined" && indexedDB !== null;
  } catch {
    return false;
  }
}

function open(): Promise<IDBDatabase | undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), openPatience);
    try {
      const asked = indexedDB.open("dropslot", 1);
      asked.onupgradeneeded = () => {
        asked.result.createObjectStore(parcels, { keyPath: "key" });
        asked.result.createObjectStore(contents);
      };
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = asked.onblocked = () => resolve(undefined);
    } catch {
      resolve(undefined); // some private windows have none
    }
  });
}
