/** Every document of a kind, however many there are: the store itself gives a page at a time. */
import { nextTurn } from "./change.ts";
import type { ListRequest, Store, StoredDocument } from "./store.ts";

const PAGE = 500;

/** Which documents, as in a {@link ListRequest}. */
export type ReadRequest = Omit<ListRequest, "limit">;

/** In ascending order of id; what is written meanwhile may be among them or not. */
export async function* readAll(store: Pick<Store, "list">, request: ReadRequest): AsyncGenerator<StoredDocument> {
  for await (const page of readPages(store, request)) yield* page;
}

/** As {@link readAll}, in batches of at most 500, none of them empty. Lets the event loop turn in between. */
export async function* readPages(
  store: Pick<Store, "list">,
  request: ReadRequest,
): AsyncGenerator<readonly StoredDocument[]> {
  for (let { after } = request; ; ) {
    const page = await store.list({ ...request, after, limit: PAGE });
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    after = page.at(-1)?.id;
    await nextTurn();
  }
}
