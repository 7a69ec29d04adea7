// How operations are arranged: as folders of their paths, as folders of their tags, and by what is sought.

const make = (definition, key, label, level) => ({ definition, key, label, level, folders: [], leaves: [], count: 0 });

function child(folder, label) {
  const key = `${folder.key}/${label}`;
  let found = folder.folders.find((one) => one.key === key);
  if (!found) folder.folders.push((found = make(folder.definition, key, label, folder.level + 1)));
  return found;
}

// By the words of the path. A parameter makes no folder: what is below it belongs to the word before.
export function byPath(definition, entries) {
  const root = make(definition.id, `path ${definition.id}`, definition.title, 0);
  for (const entry of entries) {
    const parts = entry.path.split('/').filter(Boolean);
    // Behind which part of the path each folder begins.
    const ends = [0];
    let folder = root;
    parts.forEach((part, at) => {
      if (part.startsWith('{')) return;
      folder = child(folder, part);
      ends.push(at + 1);
    });
    folder.leaves.push({ entry, parts, ends });
  }
  return settled(root);
}

// A folder of one operation is only in the way, and so is one that holds nothing but another folder.
function settled(folder) {
  folder.folders = folder.folders.map(settled).filter((one) => {
    const isOne = one.count === 1;
    if (isOne) folder.leaves.push(one.leaves[0]);
    return !isOne;
  });
  const [only, ...others] = folder.folders;
  if (folder.level && only && !others.length && !folder.leaves.length) {
    return { ...only, label: `${folder.label}/${only.label}` };
  }
  folder.count = folder.leaves.length + folder.folders.reduce((sum, one) => sum + one.count, 0);
  for (const leaf of folder.leaves) leaf.label = `/${leaf.parts.slice(leaf.ends[folder.level]).join('/')}`;
  folder.leaves.sort((one, other) => (one.label < other.label ? -1 : Number(one.label > other.label)));
  return folder;
}

// By tag, in words.
export function byTag(definition, entries) {
  const root = make(definition.id, `tag ${definition.id}`, definition.title, 0);
  for (const entry of entries) child(root, entry.tag || 'without a tag').leaves.push({ entry, label: '' });
  for (const folder of root.folders) folder.count = folder.leaves.length;
  root.count = entries.length;
  return root;
}

// Those that have every word somewhere; first those that have them in their names.
export function search(entries, text) {
  const words = text.split(/\s+/);
  const has = (where) => words.every((word) => where.includes(word));
  const found = entries.filter((entry) => has(entry.text));
  const isNamed = (entry) => has(`${entry.name} ${entry.id}`.toLowerCase());
  return [...found.filter(isNamed), ...found.filter((entry) => !isNamed(entry))];
}
