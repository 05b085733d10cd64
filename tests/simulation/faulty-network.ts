import type { RestingSocket, SocketSession, SocketTransport } from '@verdant-web/core';
import { type ClientMessage, type ServerMessage, VerdantError } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import { Audience, type CheckedReplica, type Checks } from './checks.js';
import type { ClientSocket, HttpAnswer, PageNetwork, SentContext, SocketEvents } from './client-page.js';
import type { FaultCount } from './fault-count.js';
import type { Random } from './random.js';
import type { ServerHost, ServerProcess } from './server-host.js';
import type { Scope, VirtualTime } from './virtual-time.js';

export interface FaultyNetworkOptions {
  time: VirtualTime;
  random: Random;
  faults: FaultCount;
  host: ServerHost;
  checks: Checks;
  note(who: string, what: string): void;
}

/** A device on the network. */
export interface Endpoint {
  readonly replica: CheckedReplica;
  readonly token: VerifiedToken;
  online: boolean;
}

/** Sockets that keep order, requests that do not; both lose what they carry when they break. */
export class FaultyNetwork {
  /** Whether anything is delayed for long, lost or repeated. */
  faulty = true;
  readonly links = new Set<Link>();
  readonly options: FaultyNetworkOptions;
  readonly #underWay = new Set<() => void>();

  constructor(options: FaultyNetworkOptions) {
    this.options = options;
  }

  /** The network as one page has it; what arrives after the page is closed is lost. */
  forPage(endpoint: Endpoint, page: Scope): PageNetwork {
    return {
      openSocket: (events) => new Link(this, endpoint, page, events),
      request: (messages) => this.#request(endpoint, page, messages),
    };
  }

  linksOf(endpoint: Endpoint): Link[] {
    return [...this.links].filter((link) => link.endpoint === endpoint);
  }

  /** The server process is gone: connections to it break, and requests fail. */
  serverGone(): void {
    for (const link of [...this.links]) link.serverDied();
    for (const fail of [...this.#underWay]) fail();
  }

  /** Whether a process would be kept awake by what it has to answer. */
  get isAsked(): boolean {
    return this.#underWay.size > 0;
  }

  /** The process is taken from memory and its sockets stay, those alone that it can take up again. */
  fallAsleep(sockets: ReadonlyMap<SocketSession, RestingSocket | null>): [Link, RestingSocket][] {
    const asleep: [Link, RestingSocket][] = [];
    for (const link of [...this.links]) {
      const resting = link.fallAsleep(sockets);
      if (resting === 'closed') link.serverDied();
      else if (resting) asleep.push([link, resting]);
    }
    return asleep;
  }

  latency(): number {
    const { random } = this.options;
    if (!this.faulty) return random.between(1, 5);
    return random.chance(0.03) ? random.between(200, 4_500) : random.between(2, 60);
  }

  context(): SentContext {
    const { log } = this.options.checks;
    return { epoch: log.epoch, folds: log.folds };
  }

  /** Whether a fault of this kind and probability happens now. */
  strikes(kind: string, probability: number): boolean {
    const { random, faults } = this.options;
    const strikes = this.faulty && random.chance(probability) && !faults.isLeftOut(kind);
    if (strikes) faults.add(kind);
    return strikes;
  }

  #request(endpoint: Endpoint, page: Scope, messages: ClientMessage[]): Promise<HttpAnswer> {
    const { time, checks, random, note } = this.options;
    const who = endpoint.replica.id;
    const audience = new Audience(endpoint.replica, checks.log.epoch);
    for (const message of messages) checks.offered(audience, message);
    note(who, `→ http ${messages.map(describeSent).join(' + ')}`);
    const body = JSON.stringify({ messages });
    return new Promise((resolve) => {
      let answered = false;
      const answer = (result: HttpAnswer, delay: number) =>
        time.schedule(delay, () => {
          if (answered || !page.isOpen) return;
          answered = true;
          note(
            who,
            result.ok
              ? `← http ${result.messages.map(describeReceived).join(' + ')}`
              : `← http failed ${result.status ?? 'without an answer'}`,
          );
          resolve(result);
        });
      const fail = () => answer({ ok: false, status: null }, random.between(1, this.faulty ? 3_000 : 5));
      if (!endpoint.online || this.strikes('request lost', 0.03)) {
        fail();
        return;
      }
      const losesAnswer = this.strikes('answer lost', 0.04);
      time.schedule(this.latency(), () => {
        void this.#serve(endpoint, body, losesAnswer, answer, fail);
      });
      // A request on a connection that broke is repeated, by browsers and proxies, though it may have arrived.
      if (this.strikes('request delivered twice', 0.03)) {
        note(who, 'http: the request is repeated');
        time.schedule(random.between(1, 3_000), () => {
          void this.#serve(endpoint, body, random.chance(0.5), answer, fail);
        });
      }
    });
  }

  async #serve(
    endpoint: Endpoint,
    body: string,
    losesAnswer: boolean,
    answer: (result: HttpAnswer, delay: number) => void,
    fail: () => void,
  ): Promise<void> {
    const { host, checks } = this.options;
    const process = host.running;
    if (!process || !endpoint.online) {
      fail();
      return;
    }
    this.#underWay.add(fail);
    const audience = new Audience(endpoint.replica, checks.log.epoch);
    try {
      let text = '';
      for await (const piece of await process.core.request(endpoint.token, body)) {
        if (!host.mayLeave(process)) return;
        text += piece;
        await process.scope.sleep(this.options.random.below(3));
      }
      if (!process.scope.isOpen) return;
      const { messages } = JSON.parse(text) as { messages: ServerMessage[] };
      for (const message of messages) {
        if (message.type === 'server-ack')
          checks.fail('http', 'an op over HTTP is answered with a server-ack');
        else checks.shown(audience, message);
      }
      if (losesAnswer || !endpoint.online) fail();
      else answer({ ok: true, messages, context: this.context() }, this.latency());
    } catch (error) {
      const status = error instanceof VerdantError ? error.status : null;
      if (status !== null && status < 500) {
        checks.fail(
          'http',
          `${endpoint.replica.id} is answered ${status}: ${String(error)}; it would stop polling`,
        );
      }
      answer({ ok: false, status }, this.latency());
    } finally {
      this.#underWay.delete(fail);
    }
  }
}

/** One socket, with both its ends, which need not agree on whether it is open. */
export class Link implements ClientSocket, SocketTransport {
  readonly endpoint: Endpoint;
  readonly bufferedBytes = 0;
  readonly #network: FaultyNetwork;
  readonly #page: Scope;
  readonly #events: SocketEvents;
  #audience: Audience;
  #process: ServerProcess | null = null;
  #session: SocketSession | null = null;
  /** Whether frames still reach the other end. */
  #toServer = true;
  #toClient = true;
  #clientSees = true;
  #serverBusyUntil = 0;
  #clientBusyUntil = 0;
  #paused = false;
  #asleep = false;
  /** Its end was noticed, but nobody is awake. */
  #goneAsleep = false;
  #held: string[] = [];

  constructor(network: FaultyNetwork, endpoint: Endpoint, page: Scope, events: SocketEvents) {
    this.#network = network;
    this.endpoint = endpoint;
    this.#page = page;
    this.#events = events;
    this.#audience = new Audience(endpoint.replica, network.options.checks.log.epoch);
    network.links.add(this);
    this.#schedule('server', () => this.#accept());
  }

  // The client's end

  send(message: ClientMessage): void;
  // The server's end
  send(text: string): void;
  send(message: ClientMessage | string): void {
    if (typeof message === 'string') this.#sendToClient(message);
    else this.#sendToServer(message);
  }

  close(code?: number, reason?: string): void {
    if (code === undefined) this.#closedByClient();
    else this.#closedByServer(code, reason ?? '');
  }

  async stream(pieces: AsyncIterable<string>): Promise<void> {
    const process = this.#process;
    let text = '';
    this.#note('← streams');
    for await (const piece of pieces) {
      text += piece;
      const { random } = this.#network.options;
      const slow = this.#network.strikes('slow reader', 0.1);
      await process?.scope.sleep(slow ? random.between(100, 5_000) : random.below(10));
      if (!this.#session) throw new Error('the socket is gone');
    }
    this.#sendToClient(text);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const text of this.#held.splice(0)) this.#session?.receive(text);
  }

  /** Null: no process has it. Closed: the next process could not take it up. */
  fallAsleep(sockets: ReadonlyMap<SocketSession, RestingSocket | null>): RestingSocket | 'closed' | null {
    if (!this.#session) return null;
    const resting = sockets.get(this.#session) ?? null;
    if (resting === null) return 'closed';
    this.#asleep = true;
    this.#paused = false;
    // It outlives the process as text.
    return JSON.parse(JSON.stringify(resting)) as RestingSocket;
  }

  /** From now on this process can send on it. */
  wakeFor(process: ServerProcess): void {
    this.#process = process;
  }

  /** What has arrived meanwhile is handed to this session; null: the server has closed the socket instead. */
  wake(session: SocketSession | null): void {
    this.#asleep = false;
    this.#session = session;
    for (const text of this.#held.splice(0)) session?.receive(text);
    if (this.#goneAsleep) this.#serverNotices();
  }

  // Faults

  /** The connection breaks; either end notices when it does. */
  cut({
    serverNoticesAfter,
    clientNoticesAfter,
  }: {
    serverNoticesAfter: number;
    clientNoticesAfter: number;
  }): void {
    const { time } = this.#network.options;
    this.#toServer = false;
    this.#toClient = false;
    time.schedule(clientNoticesAfter, () => this.#clientNotices());
    time.schedule(serverNoticesAfter, () => this.#serverNotices());
  }

  /** The page is gone, without a word. */
  pageDied(serverNoticesAfter: number): void {
    this.#clientSees = false;
    this.cut({ serverNoticesAfter, clientNoticesAfter: 0 });
  }

  serverDied(): void {
    if (!this.#process) return;
    const { random, time } = this.#network.options;
    this.#session = null;
    this.#asleep = false;
    this.#toServer = false;
    this.#toClient = false;
    const unnoticed = this.#network.strikes('dead server noticed late', 0.1);
    time.schedule(random.between(0, unnoticed ? 20_000 : 100), () => this.#clientNotices());
  }

  #accept(): void {
    const { host } = this.#network.options;
    const process = host.running;
    if (!this.endpoint.online || !process || this.#network.strikes('connection refused', 0.02)) {
      this.#refused('cannot connect');
      return;
    }
    try {
      this.#process = process;
      this.#audience = new Audience(this.endpoint.replica, this.#network.options.checks.log.epoch);
      // The session may send before the client knows that the socket is open: the order is kept.
      this.#schedule('client', () => {
        if (!this.#toClient || !this.#page.isOpen) return;
        this.#note('opens');
        this.#events.open();
      });
      this.#session = process.core.connect(this.endpoint.token, this);
    } catch (error) {
      this.#refused(String(error));
    }
  }

  #refused(why: string): void {
    this.#note(`cannot open: ${why}`);
    this.#toClient = false;
    this.#toServer = false;
    this.#network.options.time.schedule(this.#network.latency(), () => this.#clientNotices());
  }

  #sendToServer(message: ClientMessage): void {
    if (!this.#clientSees) return;
    this.#note(`→ ${describeSent(message)}`);
    this.#network.options.checks.offered(this.#audience, message);
    const text = JSON.stringify(message);
    this.#schedule('server', () => {
      if (!this.#toServer || !(this.#asleep || this.#process?.scope.isOpen)) return;
      if (this.#paused || this.#asleep) this.#held.push(text);
      else this.#session?.receive(text);
    });
  }

  #sendToClient(text: string): void {
    const { host, checks } = this.#network.options;
    if (!this.#process || !this.#session || !host.mayLeave(this.#process)) return;
    const message = JSON.parse(text) as ServerMessage;
    checks.shown(this.#audience, message);
    const context = this.#network.context();
    this.#schedule('client', () => {
      if (!this.#toClient || !this.#clientSees || !this.#page.isOpen) return;
      this.#note(`← ${describeReceived(message)}`);
      this.#events.message(message, context);
    });
  }

  #closedByClient(): void {
    this.#clientSees = false;
    this.#toClient = false;
    this.#schedule('server', () => this.#serverNotices());
  }

  #closedByServer(code: number, reason: string): void {
    this.#note(`is closed by the server: ${code} ${reason}`);
    const { time } = this.#network.options;
    this.#toServer = false;
    this.#schedule('client', () => {
      if (this.#toClient) this.#clientNotices();
    });
    time.schedule(this.#network.latency(), () => this.#serverNotices());
  }

  #clientNotices(): void {
    if (this.#clientSees) {
      this.#clientSees = false;
      if (this.#page.isOpen) {
        this.#note('is closed');
        this.#events.closed();
      }
    }
    if (!this.#session) this.#network.links.delete(this);
  }

  #serverNotices(): void {
    this.#goneAsleep = this.#asleep;
    if (this.#asleep) return;
    const session = this.#session;
    this.#session = null;
    if (session && this.#process?.scope.isOpen) session.closed(false);
    if (!this.#clientSees) this.#network.links.delete(this);
  }

  /** Deliver to one end, after what was sent there before. */
  #schedule(end: 'server' | 'client', run: () => void): void {
    const { time } = this.#network.options;
    const at = time.now() + this.#network.latency();
    if (end === 'server') {
      this.#serverBusyUntil = Math.max(at, this.#serverBusyUntil + 1);
      time.schedule(this.#serverBusyUntil - time.now(), run);
    } else {
      this.#clientBusyUntil = Math.max(at, this.#clientBusyUntil + 1);
      time.schedule(this.#clientBusyUntil - time.now(), run);
    }
  }

  #note(what: string): void {
    this.#network.options.note(this.endpoint.replica.id, `ws ${what}`);
  }
}

function describeSent(message: ClientMessage): string {
  switch (message.type) {
    case 'sync':
      return `sync @${message.timestamp} since ${message.since} with ${message.operations.length} operations, ${message.baselines.length} baselines`;
    case 'op':
      return `op @${message.timestamp} (${message.operations.map(({ timestamp }) => timestamp).join(', ')})`;
    case 'ack':
      return `ack ${message.timestamp}`;
    default:
      return message.type;
  }
}

function describeReceived(message: ServerMessage): string {
  switch (message.type) {
    case 'sync-resp':
      return `sync-resp ${message.overwriteLocalData ? 'RESET ' : ''}@${message.ackedTimestamp} with ${message.baselines.length} baselines, operations ${message.operations.map(({ timestamp }) => timestamp).join(', ')}`;
    case 'op-re':
      return `op-re ${message.operations.map(({ timestamp }) => timestamp).join(', ')}${message.baselines ? ` and ${message.baselines.length} baselines` : ''}`;
    case 'server-ack':
    case 'global-ack':
      return `${message.type} ${message.timestamp}`;
    default:
      return message.type;
  }
}
