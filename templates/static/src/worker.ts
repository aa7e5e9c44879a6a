// Seals one page at a time to the office's recipients, away from the page's
// own thread. Nothing that opens is bundled: only age's Encrypter is imported.
import { Encrypter } from "age-encryption";
import type { SealAnswer, SealOrder } from "./client/seal";

interface WorkerScope {
  onmessage: ((event: MessageEvent<SealOrder>) => void) | null;
  postMessage(message: SealAnswer, transfer?: Transferable[]): void;
}
const scope = self as unknown as WorkerScope;

async function seal(order: SealOrder): Promise<SealAnswer> {
  const encrypter = new Encrypter();
  for (const recipient of order.recipients) encrypter.addRecipient(recipient);
  const sealed = await encrypter.encrypt(new Uint8Array(order.plain));
  const content = sealed.buffer.slice(sealed.byteOffset, sealed.byteOffset + sealed.byteLength) as ArrayBuffer;
  return { id: order.id, sealed: content, digest: await crypto.subtle.digest("SHA-256", content) };
}

scope.onmessage = (event) => {
  const { id } = event.data;
  seal(event.data).then(
    (answer) => scope.postMessage(answer, answer.sealed ? [answer.sealed] : []),
    () => scope.postMessage({ id }),
  );
};
