// The body of an answer as it came: text or not, and JSON or not.

import { NoJson, parse } from './json.js';

// {text, node, why}: `text` is null for what is no text; `node` is the JSON, or null with `why`, when it
// should have been JSON.
export async function read(answer, bytes) {
  const text = decode(bytes);
  if (text === null) return { text, node: null, why: null };
  const isJson = /[/+]json\b/i.test(answer.mediaType ?? '');
  if (!isJson && !/^\s*[[{]/.test(text.slice(0, 100))) return { text, node: null, why: null };
  // The page paints first: reading a long text takes its time.
  if (text.length > 500_000) await new Promise((painted) => { setTimeout(painted, 30); });
  try {
    return { text, node: parse(text), why: null };
  } catch (error) {
    if (!(error instanceof NoJson)) throw error;
    return { text, node: null, why: isJson ? error : null };
  }
}

function decode(bytes) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.slice(0, 10_000).includes('\0') ? null : text;
  } catch {
    return null;
  }
}
