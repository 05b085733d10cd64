/** A sync message as seen on its way; only what scenarios ask about is typed. */
export interface WireMessage {
  type: string;
  timestamp?: string;
  since?: string | null;
  replicaId?: string;
  operations?: { oid: string; timestamp: string; authz?: string; data: { op: string } }[];
  baselines?: { oid: string; timestamp: string }[];
  overwriteLocalData?: boolean;
  ackedTimestamp?: string;
  globalAckTimestamp?: string;
}

export interface WireEntry {
  direction: 'sent' | 'received';
  transport: 'socket' | 'http';
  message: WireMessage;
}

/** Everything that one client sent and received, in order. */
export class Wire {
  readonly entries: WireEntry[] = [];
  /** HTTP statuses of refused requests, and sockets that never opened. */
  readonly refusals: number[] = [];
  sockets = 0;
  requests = 0;
  /** Requests that were not answered yet. */
  underWay = 0;

  /** Called before the client hears of an answer to a sync that brings or takes anything. */
  onAnswer: (() => void) | undefined;

  sent = (type: string) => this.#of('sent', type);
  received = (type: string) => this.#of('received', type);

  /** One line a message: what a failed wait prints. */
  summary(last = 25): string {
    return this.entries
      .slice(-last)
      .map(({ direction, transport, message }) => {
        const counts = [
          message.operations && `${message.operations.length} operations`,
          message.baselines && `${message.baselines.length} baselines`,
          message.overwriteLocalData && 'reset',
          message.since !== undefined && `since ${message.since}`,
        ].filter(Boolean);
        return `  ${direction === 'sent' ? '→' : '←'} ${transport} ${message.type} ${counts.join(', ')}`;
      })
      .join('\n');
  }

  request(body: unknown): void {
    if (typeof body !== 'string') return;
    this.requests++;
    this.#addAll('sent', body);
  }

  response(body: unknown): void {
    if (hasMessages(body)) for (const message of body.messages) this.#add('received', 'http', message);
  }

  refusal(status: number): void {
    this.refusals.push(status);
  }

  frame(direction: WireEntry['direction'], text: string): void {
    this.#add(direction, 'socket', JSON.parse(text) as WireMessage);
  }

  #addAll(direction: WireEntry['direction'], text: string): void {
    const body: unknown = JSON.parse(text);
    if (hasMessages(body)) for (const message of body.messages) this.#add(direction, 'http', message);
  }

  #add(direction: WireEntry['direction'], transport: WireEntry['transport'], message: WireMessage): void {
    this.entries.push({ direction, transport, message });
    if (direction === 'received' && message.type === 'sync-resp' && !isEmpty(message)) this.onAnswer?.();
  }

  #of(direction: WireEntry['direction'], type: string): WireMessage[] {
    return this.entries
      .filter((entry) => entry.direction === direction && entry.message.type === type)
      .map((entry) => entry.message);
  }
}

const isEmpty = ({ operations = [], baselines = [], overwriteLocalData }: WireMessage): boolean =>
  operations.length + baselines.length === 0 && !overwriteLocalData;

const hasMessages = (body: unknown): body is { messages: WireMessage[] } =>
  typeof body === 'object' && body !== null && Array.isArray((body as { messages?: unknown }).messages);
