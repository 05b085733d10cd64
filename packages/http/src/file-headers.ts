/** What a file is called and said to be; both are content of strangers. */
export interface DescribedFile {
  name: string;
  type: string;
}

/**
 * The headers that keep a file what it is. Images, sound, video, PDF and plain text are shown in the browser; everything
 * else, and above all what a browser would run (HTML, SVG, XML, scripts), is downloaded. An `<img>` shows SVG all the
 * same, and runs nothing of it.
 */
export const fileHeaders = (file: DescribedFile): Record<string, string> => {
  const type = mediaTypeOf(file.type);
  const isShown = SHOWN.test(type);
  return {
    'Content-Type': contentTypeOf(type, file.type),
    'Content-Disposition': dispositionOf(isShown ? 'inline' : 'attachment', file.name),
    'X-Content-Type-Options': 'nosniff',
    // For whoever opens it as a page all the same. Browsers show no PDF in a sandbox.
    ...(type === 'application/pdf' ? {} : { 'Content-Security-Policy': POLICY }),
    // Apps use files from another origin than their own, also those apps that are strict about it.
    'Cross-Origin-Resource-Policy': 'cross-origin',
  };
};

const SHOWN =
  /^(?:image\/(?:png|apng|jpeg|gif|webp|avif|bmp|heic|heif|tiff|x-icon|vnd\.microsoft\.icon)|audio\/[\w.+-]+|video\/[\w.+-]+|application\/pdf|text\/plain)$/;
/** A page may load these from anywhere, and then runs them with its own rights, unless they are said to be something else. */
const LOADED_AS_CODE = /(?:java|ecma|type|live|j)script|^text\/css$|^application\/wasm$/;
const POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox";
const UNKNOWN = 'application/octet-stream';

/** Without parameters, in lower case. */
const mediaTypeOf = (type: string): string => {
  const [essence = ''] = type.split(';');
  const text = essence.trim().toLowerCase();
  return /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/.test(text) ? text : UNKNOWN;
};

const contentTypeOf = (type: string, given: string): string => {
  if (LOADED_AS_CODE.test(type)) return UNKNOWN;
  if (type !== 'text/plain') return type;
  const [, charset = 'utf-8'] = /;\s*charset="?([\w-]{1,40})"?\s*(?:;|$)/i.exec(given) ?? [];
  return `text/plain; charset=${charset.toLowerCase()}`;
};

/** The name in the form that all clients read, and, where that is another one, in the form that keeps every character. */
const dispositionOf = (disposition: 'inline' | 'attachment', name: string): string => {
  if (name === '') return disposition;
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  if (plain === name) return `${disposition}; filename="${name}"`;
  const whole = encodeURIComponent(name.replace(/\p{Surrogate}/gu, '\ufffd'));
  // RFC 8187 allows fewer characters than a URL does.
  const escaped = whole.replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${disposition}; filename="${plain}"; filename*=UTF-8''${escaped}`;
};
