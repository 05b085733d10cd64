/** The value of an option of a command. Throws where it is no whole number. */
export function wholeNumber(option: string, value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new Error(`--${option} is ${value}, not a whole number.`);
  return number;
}
