// What an answer is in words: its status, its size, the time it took.

const MEANINGS = {
  200: 'it worked',
  201: 'it was created',
  202: 'accepted: it is being done',
  204: 'it worked, and there is nothing to show',
  206: 'a part of it',
  301: 'it lives at another address now',
  302: 'it is at another address',
  304: 'nothing changed since you last asked',
  307: 'ask at another address',
  308: 'it lives at another address now',
  400: 'the server did not understand the request',
  401: 'the server does not accept the token',
  403: 'the token is good, but its owner may not do this',
  404: 'there is nothing with this name or id',
  405: 'this address does not know the method',
  406: 'the server cannot answer in this form',
  408: 'the server waited too long for the request',
  409: 'it is in a state that does not allow this',
  410: 'it was there, and is gone',
  412: 'it was changed by somebody else meanwhile',
  413: 'the body is too large',
  415: 'the server does not read this kind of body',
  422: 'the server understood the values, but cannot use them',
  428: 'the server wants to be told which version is changed',
  429: 'too many requests',
  500: 'the server failed',
  501: 'the server cannot do this',
  502: 'a gateway got no good answer from the server behind it',
  503: 'the server is busy or in maintenance',
  504: 'a gateway waited too long for the server behind it',
};

const CLASSES = ['', 'information', 'it worked', 'it is elsewhere', 'the request was refused', 'the server failed'];

const ADVICE = {
  400: 'Look at the values of the request, the filter and the body.',
  401: 'Get a new access token and send again. If that does not help, check the client id and secret, and that the token belongs to this region.',
  403: 'Ask an administrator for a role that allows it, or use a credential of somebody who has one.',
  404: 'Check the id in the address, and that the right environment is active: each region knows only its own things.',
  405: 'Choose the operation from the library again.',
  409: 'Read the current state first, and try again when it allows this.',
  412: 'Read it again, and make the change on what is there now.',
  429: 'Wait a little, then send again.',
  502: 'Try again in a minute. If it stays so, tell whoever runs the server.',
  503: 'Try again in some minutes. If it stays so, tell whoever runs the server.',
  504: 'Try again in a minute, or ask for less at once.',
};

// A text that begins a sentence.
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// A status in words.
export const meaning = (status) => MEANINGS[status] ?? CLASSES[Math.floor(status / 100)] ?? '';

// What to do about a status that is no success.
export function advice(status) {
  if (status < 400) return '';
  return ADVICE[status]
    ?? (status < 500 ? ADVICE[400] : 'Try again. If it stays so, tell whoever runs the server, and the time of the request.');
}

// Whether a status is good, neither, or bad.
export const quality = (status) => (status >= 400 ? 'bad' : status >= 200 && status < 300 ? 'good' : 'quiet');

// A number with marks between thousands.
export const counted = (number) => Number(number).toLocaleString('en');

// "1 item", "2,345 items".
export const several = (number, one, more = `${one}s`) => `${counted(number)} ${Number(number) === 1 ? one : more}`;

// A number of bytes as people read it.
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  let unit = 'B';
  for (unit of ['kB', 'MB', 'GB', 'TB']) {
    value /= 1000;
    if (value < 999.5) break;
  }
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${unit}`;
}

// A time as people read it.
export function time(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
