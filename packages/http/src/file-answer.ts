import type { Log, Verdant } from '@verdant-web/core';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import type { Context } from 'hono';
import { type FileForm, openFileForm, READ_AHEAD_BYTES } from './multipart/file-form.js';
import { boundaryOf } from './multipart/header-value.js';

/** Stores an upload: a form whose field `file` holds the bytes. Answers only when they are durable. */
export const uploadAnswer = async (
  c: Context,
  { core, log }: { core: Verdant; log: Log },
  token: VerifiedToken,
  id: string,
): Promise<Response> => {
  const { maxFileBytes } = core.limits;
  const boundary = boundaryOf(c.req.header('content-type'));
  if (!boundary)
    throw new VerdantError(VerdantErrorCode.InvalidRequest, 'An upload is a multipart/form-data body.');
  // The form around the file is small; what is far too long need not be read to know it.
  const contentLength = lengthOf(c.req.header('content-length'));
  if (contentLength !== undefined && contentLength > maxFileBytes + FORM_BYTES) throw tooLarge(maxFileBytes);
  const { body } = c.req.raw;
  if (!body) throw new VerdantError(VerdantErrorCode.BodyRequired, 'An upload needs a body.');

  const intake = core.intake(token);
  try {
    // The rest passes through.
    intake.arrived(Math.min(contentLength ?? READ_AHEAD_BYTES, READ_AHEAD_BYTES));
    await store(
      await openFileForm(body, { boundary, maxFileBytes, contentLength }),
      { core, log },
      token,
      id,
    );
  } finally {
    intake.done();
  }
  return c.json({ success: true });
};

const store = async (
  form: FileForm,
  { core, log }: { core: Verdant; log: Log },
  token: VerifiedToken,
  id: string,
): Promise<void> => {
  try {
    const { name, type, size, bytes } = form;
    await core.files.upload(token, { id, name, type, size }, bytes, { log });
  } catch (error) {
    // Where the form is at fault, the storage only saw its stream end in an error, and may have wrapped it.
    throw form.failure ?? error;
  } finally {
    await form.close();
  }
};

/** Tells what a client may know of a file. */
export const fileInfoAnswer = async (
  c: Context,
  core: Verdant,
  token: VerifiedToken,
  id: string,
): Promise<Response> => c.json(await core.files.info(token, id));

const FORM_BYTES = 1024 * 1024;

const lengthOf = (header: string | undefined): number | undefined =>
  header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;

const tooLarge = (maxBytes: number) =>
  new VerdantError(VerdantErrorCode.TooLarge, `The file is larger than ${maxBytes} bytes.`);
