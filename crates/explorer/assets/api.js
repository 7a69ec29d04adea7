// Asking the server. Every address is below /explorer/api; the answers are JSON.

const root = document.getElementById('explorer');

// The workspace of this page.
export const workspace = root.dataset.workspace;

// Where things of this workspace are.
export const base = `/explorer/api/w/${workspace}`;

// What the server said instead of doing it.
export class Failure extends Error {
  constructor(status, what, hint, details) {
    super(what);
    this.status = status;
    this.hint = hint;
    this.details = details;
  }
}

// Sends a request and gives the answer, whatever it is; a `Failure` when the server says no.
export async function ask(method, path, body, options = {}) {
  const headers = { accept: 'application/json', ...options.headers };
  if (method !== 'GET') headers['x-csrf-token'] = root.dataset.formToken;
  const isJson = body !== undefined && !(body instanceof Blob);
  if (isJson) headers['content-type'] = 'application/json';
  const address = path.startsWith('/explorer/') ? path : base + path;
  let answer;
  try {
    answer = await fetch(address, {
      method,
      headers,
      body: isJson ? JSON.stringify(body) : body,
      signal: options.signal,
      cache: 'no-store',
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Failure(0, 'Hallpass does not answer', 'check that it still runs, and try again');
  }
  if (answer.ok) return answer;
  if (answer.redirected || answer.status === 401) {
    throw new Failure(401, 'you are not signed in any more', 'load the page again and sign in');
  }
  const told = await answer.json().catch(() => null);
  throw new Failure(
    answer.status,
    told?.error?.what ?? `the server answered ${answer.status}`,
    told?.error?.hint ?? 'load the page again',
    told?.error,
  );
}

const json = async (answer) => (answer.status === 204 ? undefined : answer.json());

export const get = async (path, options) => json(await ask('GET', path, undefined, options));
export const post = async (path, body, options) => json(await ask('POST', path, body ?? {}, options));
export const put = async (path, body) => json(await ask('PUT', path, body));
export const patch = async (path, body) => json(await ask('PATCH', path, body));
export const remove = async (path) => json(await ask('DELETE', path));
