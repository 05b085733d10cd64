/** A call of a method in a worker, as it goes over HTTP. */
export interface Call {
  /** What is called, by the number under which the worker holds it; null: the object itself. */
  on: number | null;
  method: string;
  args: unknown[];
}

/** What came of it. */
export type Answer = { result?: unknown } | { error: string };

/** What the worker holds, for calls to come. */
export interface Held {
  held: number;
  /** Which of the optional methods it has. */
  has: string[];
}

/** What comes one by one: the first of it at once, and where there is one, what to call for the next. */
export interface Iterated<Item> {
  first: IteratorResult<Item>;
  rest: Held | null;
}

/** As JSON, in which lone surrogates are escaped. It has no Infinity. */
export const encoded = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    part === Number.POSITIVE_INFINITY ? { infinity: true } : part,
  );

export const decoded = <Value>(text: string): Value =>
  JSON.parse(text, (_, part: unknown) =>
    (part as { infinity?: true } | null)?.infinity === true ? Number.POSITIVE_INFINITY : part,
  ) as Value;

/** Answers a call with what `work` gives or throws. */
export async function answering(work: () => Promise<unknown>): Promise<Response> {
  const answer: Answer = await work().then(
    (result) => ({ result }),
    (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
  );
  return new Response(encoded(answer));
}

/** The result, or the error with its message. */
export function resultOf<Result>(text: string): Result {
  const answer = decoded<Answer>(text);
  if ('error' in answer) throw new Error(answer.error);
  return answer.result as Result;
}
