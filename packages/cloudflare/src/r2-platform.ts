/** What of R2 this package uses: an `R2Bucket` is one. */
export interface Bucket {
  head(key: string): Promise<BucketObject | null>;
  get(key: string, options?: BucketReadOptions): Promise<BucketObject | BucketObjectBody | null>;
  put(key: string, value: ReadableStream<Uint8Array>, options?: BucketMetadata): Promise<unknown>;
  delete(key: string): Promise<void>;
  list(options?: { prefix?: string; cursor?: string }): Promise<BucketPage>;
}

/** An `R2Object`. */
export interface BucketObject {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly version: string;
  readonly uploaded: Date;
  readonly customMetadata?: Record<string, string>;
}

/** An `R2ObjectBody`. */
export interface BucketObjectBody extends BucketObject {
  readonly body: ReadableStream<Uint8Array>;
}

/** What of `R2GetOptions` this package uses. */
export interface BucketReadOptions {
  range?: { offset: number; length: number };
  onlyIf?: { etagMatches: string };
}

/** What of `R2PutOptions` this package uses. */
export interface BucketMetadata {
  httpMetadata?: { contentType: string };
  customMetadata?: Record<string, string>;
}

/** Some of the objects of a bucket: an `R2Objects`. */
export type BucketPage =
  | { objects: BucketObject[]; truncated: true; cursor: string }
  | { objects: BucketObject[]; truncated: false };
