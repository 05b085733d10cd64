import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';

/** What the worker's configuration binds to this name. `asFor` says what it has to be, in the error's sentence. */
export function bindingOf<Binding>(env: unknown, name: string, asFor: string): Binding {
  const binding = (env as Record<string, unknown> | undefined)?.[name];
  if (binding !== undefined && binding !== null && binding !== '') return binding as Binding;
  throw new VerdantError(
    VerdantErrorCode.Configuration,
    `Nothing is bound to ${JSON.stringify(name)}: add ${asFor} of that name to the worker's configuration, wrangler.jsonc.`,
  );
}

/** The option that names a binding, or several. */
export function bindingNamesOf(value: unknown, option: string): string[] {
  const names: unknown[] = Array.isArray(value) && value.length > 0 ? value : [value];
  return names.map((name) => bindingNameOf(name, option));
}

/** The option that names a binding. */
export function bindingNameOf(value: unknown, option: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new VerdantError(
    VerdantErrorCode.Configuration,
    `'${option}' has to be the name of a binding, as in wrangler.jsonc.`,
  );
}
