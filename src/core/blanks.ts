/** White space as HTTP and lists know it: spaces and tabs. `trim` takes more, and regular expressions take longer. */

/** The text without blanks at its ends (RFC 9110, 5.6.3). Linear, whatever the text. */
export function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

export function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
