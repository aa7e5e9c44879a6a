// Sealed pages that wait, in IndexedDB: a reload, a crash or an empty battery
// leaves them there. Only sealed bytes are ever given to it.

export interface Kept {
  key: string;
  label: string;
  digest: string;
  base: string; // whose link's: /send/ID
  place: number; // in the list
  at: number; // when it was put here, in ms
  expires: number; // likewise, by the phone's clock: asked of the server before it counts
}

// Removal is a page that a person took back. It stays while the link does: a
// window that does not know of it must not send the page again.
export interface Removal {
  key: string;
  base: string;
  at: number; // ms
  expires: number; // as a page's
  told: boolean; // the server said that it is gone
}

// Safari at times never answers the first question to IndexedDB.
const openPatience = 4_000; // milliseconds

// Two stores for a page, so that the list can be read without the bytes.
const parcels = "parcels";
const contents = "contents";
const removals = "removals";

interface Stores {
  list: IDBObjectStore;
  bytes: IDBObjectStore;
  gone: IDBObjectStore;
}

export class Shelf {
  private database: Promise<IDBDatabase | undefined> | undefined;

  // put keeps a parcel and tells whether it is on the disk.
  async put(kept: Kept, content: ArrayBuffer): Promise<boolean> {
    const write = ({ list, bytes }: Stores) => {
      list.put(kept);
      return bytes.put(content, kept.key);
    };
    // strict: written through before it counts, for the battery's sake.
    const done = await this.work("readwrite", write, "strict");
    return done !== undefined;
  }

  // note changes what is known of parcels that are still there.
  async note(changes: { key: string; label: string; place: number }[]): Promise<void> {
    await this.work("readwrite", ({ list }) => {
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
    const found = await this.work("readonly", ({ bytes }) => bytes.get(key) as IDBRequest<ArrayBuffer | undefined>);
    return found && (found.value ?? null);
  }

  async drop(...keys: string[]): Promise<void> {
    await this.work("readwrite", ({ list, bytes }) => {
      for (const key of keys) {
        list.delete(key);
        bytes.delete(key);
      }
    });
  }

  // list gives the parcels of one link, or undefined when nobody can tell.
  async list(base: string): Promise<Kept[] | undefined> {
    const found = await this.all<Kept>("list");
    return found?.filter((kept) => kept.base === base).sort((a, b) => a.place - b.place || a.at - b.at);
  }

  // takeBack puts a removal where the page was, in one step, and gives the
  // page's bytes as content does.
  async takeBack(key: string, base: string, expires: number): Promise<ArrayBuffer | null | undefined> {
    const found = await this.work(
      "readwrite",
      ({ list, bytes, gone }) => {
        gone.put({ key, base, at: Date.now(), expires, told: false } satisfies Removal);
        const asked = bytes.get(key) as IDBRequest<ArrayBuffer | undefined>;
        list.delete(key);
        bytes.delete(key);
        return asked;
      },
      "strict",
    );
    return found && (found.value ?? null);
  }

  // giveBack takes a removal off again and tells whether that is on the disk.
  async giveBack(key: string): Promise<boolean> {
    return (await this.work("readwrite", ({ gone }) => gone.delete(key), "strict")) !== undefined;
  }

  async told(removal: { key: string; base: string; expires: number }): Promise<void> {
    await this.work("readwrite", ({ gone }) => gone.put({ ...removal, at: Date.now(), told: true } satisfies Removal));
  }

  // removals gives those of one link, or undefined when nobody can tell.
  async removals(base: string): Promise<Removal[] | undefined> {
    return (await this.all<Removal>("gone"))?.filter((removal) => removal.base === base);
  }

  // overdue names the links whose time is over by the phone's clock, which may
  // be wrong.
  async overdue(): Promise<string[]> {
    const all = [...((await this.all<Kept>("list")) ?? []), ...((await this.all<Removal>("gone")) ?? [])];
    const old = all.filter((one) => one.expires < Date.now());
    return [...new Set(old.map((kept) => kept.base))];
  }

  async wipe(base: string): Promise<void> {
    const keys = [...((await this.list(base)) ?? []), ...((await this.removals(base)) ?? [])].map(({ key }) => key);
    if (keys.length === 0) return;
    await this.drop(...keys);
    await this.work("readwrite", ({ gone }) => keys.forEach((key) => gone.delete(key)));
  }

  private async all<T>(store: keyof Stores): Promise<T[] | undefined> {
    if (!available()) return [];
    const found = await this.work("readonly", (stores) => stores[store].getAll() as IDBRequest<T[]>);
    return found && (found.value ?? []);
  }

  // work gives what its request gave, once the transaction is on the disk; or
  // undefined if there is no IndexedDB, or it is full, or it failed.
  private async work<T>(
    mode: IDBTransactionMode,
    act: (stores: Stores) => IDBRequest<T> | void,
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
          const change = database.transaction([parcels, contents, removals], mode, { durability });
          const request = act({
            list: change.objectStore(parcels),
            bytes: change.objectStore(contents),
            gone: change.objectStore(removals),
          });
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
      const asked = indexedDB.open("dropslot", 2);
      asked.onupgradeneeded = () => {
        const database = asked.result;
        const has = (name: string) => database.objectStoreNames.contains(name);
        if (!has(parcels)) database.createObjectStore(parcels, { keyPath: "key" });
        if (!has(contents)) database.createObjectStore(contents);
        if (!has(removals)) database.createObjectStore(removals, { keyPath: "key" });
      };
      asked.onsuccess = () => {
        const database = asked.result;
        database.onversionchange = () => database.close(); // a newer page in another window
        resolve(database);
      };
      asked.onerror = asked.onblocked = () => resolve(undefined);
    } catch {
      resolve(undefined); // some private windows have none
    }
  });
}
