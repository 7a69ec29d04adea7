// What a body can be shown as besides itself: a list as a table, numbers over time as a chart. Their scripts come
// when somebody wants them.

const DEEPEST = 6;
const MOST = 20;

// The list of a body: the body itself, its `items`, or its longest list of objects; else null.
export function listOf(node) {
  const isList = (one) => one?.kind === 'array' && one.items.some((item) => item.kind === 'object');
  if (isList(node)) return node.items;
  if (node.kind !== 'object') return null;
  const lists = node.members.filter(([, one]) => isList(one));
  const named = lists.find(([name]) => name === 'items');
  const [found] = named ? [named] : lists.sort(([, a], [, b]) => b.items.length - a.items.length);
  return found ? found[1].items : null;
}

// The charts of a body: [{title, unit, points: [{at, moment, values}], series: [name]}].
export function chartsOf(root) {
  const charts = [];
  const visit = (node, path) => {
    if (charts.length >= MOST || path.length > DEEPEST) return;
    if (node.kind === 'array') {
      const chart = chartOf(node.items, path);
      if (chart) charts.push(chart);
    } else if (node.kind === 'object') {
      for (const [name, child] of node.members) visit(child, [...path, name]);
    }
  };
  visit(root, []);
  return charts;
}

function chartOf(items, path) {
  if (items.length < 2 || items.some((item) => item.kind !== 'object')) return null;
  const named = items[0].members.find(([name, node]) => /time|date|^ts$/i.test(name) && momentOf(node) !== null);
  if (!named) return null;
  const [clock] = named;
  const series = items[0].members.filter(([name, node]) => name !== clock && node.kind === 'number' && !/time|date/i.test(name)).map(([name]) => name);
  const points = [];
  for (const { members } of items) {
    const of = new Map(members);
    const moment = of.has(clock) ? momentOf(of.get(clock)) : null;
    if (moment === null) return null;
    points.push({ moment, values: series.map((name) => (of.get(name)?.kind === 'number' ? of.get(name).text : null)) });
  }
  // Things that were made at some time are a list, and no history.
  const moments = new Set(points.map((one) => one.moment));
  if (!series.length || items[0].members.length > series.length + 3 || moments.size < 2) return null;
  points.sort((a, b) => a.moment - b.moment);
  const title = path.filter((name) => !/^(items|series_?data|historyData|data)$/i.test(name)).at(-1) ?? path.at(-1) ?? 'Values';
  return { title: spoken(title), unit: unitOf(`${title} ${series.join(' ')}`), series, points };
}

// "iopsMetricsData" as "iops metrics data".
const spoken = (name) => name.replace(/_/g, ' ').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();

const UNITS = [
  [/iops/i, 'operations per second'], [/latency.*ms|ms\b.*latency/i, 'ms'], [/latency/i, 'ms'], [/kbps/i, 'KB/s'],
  [/mbps/i, 'MB/s'], [/gib/i, 'GiB'], [/mib/i, 'MiB'], [/percent|pct/i, '%'], [/bytes/i, 'bytes'],
];
const unitOf = (name) => UNITS.find(([pattern]) => pattern.test(name))?.[1] ?? '';

// Milliseconds since 1970 of a value that is a moment, else null. The real API calls seconds "Ms": how large a
// number is says what it counts.
export function momentOf(node) {
  if (node.kind === 'string') {
    if (!/^\d{4}-\d\d-\d\d([T ]\d\d:\d\d|$)/.test(node.value)) return null;
    const moment = Date.parse(node.value);
    return Number.isNaN(moment) ? null : moment;
  }
  if (node.kind !== 'number') return null;
  const value = Number(node.text);
  if (value >= 1e17) return value / 1e6;
  if (value >= 1e14) return value / 1e3;
  if (value >= 1e11) return value;
  return value >= 1e8 ? value * 1000 : null;
}
