/** A header of the form `value; name=value; name="value"`. Names in lower case. */
export interface HeaderValue {
  value: string;
  parameters: Map<string, string>;
}

/** Reads such a header. What it does not understand it skips: the first of several parameters of one name wins. */
export const parseHeaderValue = (text: string): HeaderValue => {
  const parameters = new Map<string, string>();
  const [, value = '', rest = ''] = text.match(/^([^;]*)(.*)$/s) ?? [];
  for (const [, name = '', quoted, bare = ''] of rest.matchAll(PARAMETER)) {
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, quoted === undefined ? bare : unescapeQuotes(quoted));
  }
  return { value: value.trim().toLowerCase(), parameters };
};

/** The boundary of a multipart form; undefined where the content type is another, or the boundary is not usable. */
export const boundaryOf = (contentType: string | undefined): string | undefined => {
  const { value, parameters } = parseHeaderValue(contentType ?? '');
  const boundary = value === 'multipart/form-data' ? parameters.get('boundary') : undefined;
  return boundary !== undefined && /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary)
    ? boundary
    : undefined;
};

/**
 * The name of a part's file as the user's device has it; undefined where the part is no file.
 *
 * Browsers send the name as raw UTF-8 with three characters escaped in the manner of URLs; others send the extended
 * form of RFC 5987 as well, which then counts.
 */
export const fileNameOf = ({ parameters }: HeaderValue): string | undefined => {
  const extended = parameters.get('filename*')?.match(/^utf-8'[^']*'(.*)$/is)?.[1];
  if (extended !== undefined) {
    try {
      return decodeURIComponent(extended);
    } catch {
      // Malformed: the plain form, if any, counts.
    }
  }
  return parameters.get('filename')?.replace(/%(22|0A|0D)/gi, decodeURIComponent);
};

/**
 * No text is matched in two ways, and a quote that is not closed takes all that follows: otherwise a header made for it
 * would keep the process busy for years. A backslash right before the last quote is one of the name.
 */
const PARAMETER =
  /;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\\\|\\"(?!$)|\\(?!["\\])|\\(?="$))*)(?:"|$)|([^\s;]*))/g;

/** Only quotes and backslashes are escaped; another backslash is one of a path on Windows. */
const unescapeQuotes = (text: string): string => text.replace(/\\(["\\])/g, '$1');
