// Numbers over time as lines. Anything that is a list of objects with a moment and numbers is a chart: the
// capacity and the performance of a system, or of a volume.

import { h, replace, set, unique } from './dom.js';
import { counted, several } from './words.js';

const ROWS = 100;
const HEIGHT = 300;
const EDGE = { left: 72, right: 16, top: 16, bottom: 32 };

function svg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

// The view: which chart, which series, the lines, what is under the pointer, and all as a table.
export function chart(charts) {
  const place = h('div');
  const choose = (at) => replace(place, one(charts[at]));
  choose(0);
  if (charts.length === 1) return place;
  const id = unique('chart');
  return h('div',
    h('div.answer-tools', h('label', { for: id }, 'Shown: '), h('select', { id, onchange: (event) => choose(Number(event.target.value)) },
      charts.map((each, at) => h('option', { value: String(at) }, each.title)))),
    place);
}

function one(given) {
  const { title, unit, series, points } = given;
  const on = new Set(series.slice(0, 6));
  const box = h('div.chart-box');
  const said = h('p.chart-said', { role: 'status' });
  const name = unit ? `${title} (${unit})` : title;
  const begin = 'Point at the chart, or go through it with the arrow keys, to read the numbers.';
  said.textContent = begin;
  let width = 800;
  const draw = () => replace(box, lines(given, on, width, name, (point) => {
    if (!point) return replace(said, begin);
    return replace(said, h('time', stamp(point.moment)), series.map((each, at) => on.has(each) && h('span', `${each}: `, h('strong', point.values[at] ?? '–'))));
  }));
  // As wide as there is room, so that the words in it keep their size.
  new ResizeObserver(([{ contentRect }]) => {
    if (Math.round(contentRect.width) === width || contentRect.width < 1) return;
    width = Math.round(contentRect.width);
    draw();
  }).observe(box);
  draw();
  const choices = series.map((each, at) => h('label', { 'data-line': at % 6 }, h('input', {
    type: 'checkbox',
    checked: on.has(each),
    onchange: (event) => {
      if (event.target.checked) on.add(each);
      else on.delete(each);
      draw();
    },
  }), h('span.chart-key', { 'aria-hidden': 'true' }), each));
  return h('div',
    h('h3', name), h('div.chart-legend', { role: 'group', 'aria-label': 'Lines' }, choices), box, said, numbers(given));
}

const stamp = (moment) => new Date(moment).toISOString().replace('T', ' ').replace(/(:\d\d)?\.\d+Z$/, '$1 UTC');

function lines({ series, points }, on, width, name, tell) {
  const values = points.flatMap((point) => point.values.filter((value, at) => value !== null && on.has(series[at])).map(Number));
  const { from, to, ticks } = scale(Math.min(0, ...minmax(values)), Math.max(...minmax(values)));
  const [first, last] = [points[0].moment, points.at(-1).moment];
  const x = (moment) => EDGE.left + ((moment - first) / (last - first)) * (width - EDGE.left - EDGE.right);
  const y = (value) => HEIGHT - EDGE.bottom - ((value - from) / (to - from)) * (HEIGHT - EDGE.top - EDGE.bottom);

  const grid = ticks.flatMap((value) => [
    svg('line', { class: 'chart-grid', x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }),
    svg('text', { class: 'chart-label', x: EDGE.left - 8, y: y(value) + 4, 'text-anchor': 'end' }, short(value)),
  ]);
  const days = last - first > 2 * 86_400_000;
  const times = (width < 500 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1]).map((part) => {
    const moment = first + part * (last - first);
    const text = stamp(moment);
    const anchor = part === 0 ? 'start' : part === 1 ? 'end' : 'middle';
    return svg('text', { class: 'chart-label', x: x(moment), y: HEIGHT - 10, 'text-anchor': anchor }, days ? text.slice(0, 10) : text.slice(11, 16));
  });
  const drawn = series.map((each, at) => {
    if (!on.has(each)) return '';
    // A missing value is a gap.
    let pen = 'M';
    let d = '';
    for (const { moment, values: row } of points) {
      if (row[at] === null) {
        pen = 'M';
        continue;
      }
      d += `${pen}${x(moment).toFixed(1)} ${y(Number(row[at])).toFixed(1)}`;
      pen = 'L';
    }
    return svg('path', { class: 'chart-line', 'data-line': at % 6, d });
  });
  const cursor = svg('line', { class: 'chart-cursor', y1: EDGE.top, y2: HEIGHT - EDGE.bottom, visibility: 'hidden' });
  const image = svg('svg', {
    viewBox: `0 0 ${width} ${HEIGHT}`, role: 'img', tabindex: '0', 'aria-label': `${name}: ${several(points.length, 'moment')} from ${stamp(first)} to ${stamp(last)}. The numbers are in the table below.`,
  }, ...grid, ...times, ...drawn, cursor);

  let at = null;
  const go = (next) => {
    at = next;
    if (at === null) cursor.setAttribute('visibility', 'hidden');
    else set(cursor, { visibility: 'visible', x1: x(points[at].moment), x2: x(points[at].moment) });
    tell(at === null ? null : points[at]);
  };
  image.addEventListener('pointermove', (event) => {
    const area = image.getBoundingClientRect();
    const moment = first + (((event.clientX - area.left) / area.width) * width - EDGE.left) / (width - EDGE.left - EDGE.right) * (last - first);
    let best = 0;
    points.forEach((point, i) => {
      if (Math.abs(point.moment - moment) < Math.abs(points[best].moment - moment)) best = i;
    });
    if (best !== at) go(best);
  });
  image.addEventListener('pointerleave', () => go(null));
  image.addEventListener('blur', () => go(null));
  image.addEventListener('keydown', (event) => {
    const to = { ArrowRight: (at ?? -1) + 1, ArrowLeft: (at ?? points.length) - 1, Home: 0, End: points.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(Math.min(points.length - 1, Math.max(0, to)));
  });
  return image;
}

// Not spread into Math.min: a long history is more than a call takes.
function minmax(values) {
  if (!values.length) return [0, 1];
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

// An axis with round numbers.
export function scale(low, high) {
  const span = high - low || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((one) => one * power >= rough);
  const from = Math.floor(low / step) * step;
  const to = Math.ceil((low + span) / step) * step;
  const ticks = [];
  for (let at = 0; from + at * step <= to + step / 2; at += 1) ticks.push(from + at * step);
  return { from, to, ticks };
}

const short = (value) => new Intl.NumberFormat('en', { notation: Math.abs(value) >= 1e6 ? 'compact' : 'standard', maximumFractionDigits: 2 }).format(value);

// The same numbers for those who do not see lines, or want the digits.
function numbers({ series, points }) {
  const box = h('div.answer-box', { tabindex: '0', role: 'region', 'aria-label': 'Numbers' });
  const details = h('details.chart-numbers', h('summary', `The numbers (${counted(points.length)})`), box);
  let shown = ROWS;
  const draw = () => replace(box,
    h('table.answer-table',
      h('thead', h('tr', h('th', { scope: 'col' }, 'Time'), series.map((each) => h('th.number', { scope: 'col' }, each)))),
      h('tbody', points.slice(0, shown).map(({ moment, values }) => h('tr', h('td', stamp(moment)), values.map((value) => h('td.number', value ?? '')))))),
    points.length > shown && h('p.answer-more', h('button.plain', { type: 'button', onclick: () => { shown += 500; draw(); } }, 'Show more')));
  details.addEventListener('toggle', draw, { once: true });
  return details;
}
