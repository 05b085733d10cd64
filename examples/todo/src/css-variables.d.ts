import 'react';

declare module 'react' {
  interface CSSProperties {
    /** The colour of an avatar, in degrees. */
    '--hue'?: number;
  }
}
