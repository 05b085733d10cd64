/** Text of one style, at a column of its line. */
export interface Span {
  column: number;
  text: string;
  /** The colour code of the terminal; 0 is plain. */
  style: number;
}

/** What a line showed from a point in time, in seconds, until its next version. */
export interface LineVersion {
  from: number;
  spans: Span[];
}

/** A terminal, as far as the demo uses one: colours, new lines, and writing a line anew. */
export class Screen {
  /** All that each line ever showed. */
  readonly lines: LineVersion[][] = [[]];
  #spans: Span[] = [];
  #column = 0;
  #style = 0;

  write(text: string, at: number): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminals are told in
    for (const [part, style] of text.matchAll(/\x1b\[(\d+)m|\r\n?|\n|[^\x1b\r\n]+/g)) {
      if (style !== undefined) this.#style = Number(style);
      else if (part.endsWith('\n')) this.#endLine(at);
      else if (part === '\r') this.#beginLine();
      else this.#put(part);
    }
    this.#keep(at);
  }

  #put(text: string): void {
    this.#spans.push({ column: this.#column, text, style: this.#style });
    this.#column += [...text].length;
  }

  #beginLine(): void {
    this.#spans = [];
    this.#column = 0;
  }

  #endLine(at: number): void {
    this.#keep(at);
    this.#beginLine();
    this.lines.push([]);
  }

  #keep(at: number): void {
    const versions = this.lines.at(-1)!;
    const spans = this.#spans.filter(({ text }) => text.trim());
    if (JSON.stringify(spans) !== JSON.stringify(versions.at(-1)?.spans ?? []))
      versions.push({ from: at, spans });
  }
}
