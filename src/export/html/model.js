// The recording's data, and what is computed from it. Nothing here touches the page.
"use strict";

const LEVEL = {root: 0, process: 1, thread: 2, task: 3, frame: 4};
const ORIGIN = {project: 0, library: 1, standard: 2, none: 3}; // where a function's file belongs
const KIND = {python: 0, loop: 1, border: 2, unreadable: 3};   // of a frame

/// The page's data: JSON, compressed by zlib, in base64.
async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(plain).json();
}

/// Nodes refer to labels by number; costs are lists of node and value for each bin of time, the nodes as differences.
function openModel(data) {
  const parents = new Int32Array(data.nodes.length / 2);
  const labels = new Int32Array(parents.length);
  for (let i = 0; i < parents.length; ++i) {
    parents[i] = i - data.nodes[2 * i];
    labels[i] = data.nodes[2 * i + 1];
  }
  data.labels.forEach((label, number) => {
    if (label.level === LEVEL.frame && label.kind !== KIND.unreadable && label.kind !== KIND.border) {
      label.key = number; // of a function
    }
  });
  return {data, parents, labels, structures: {}, labelOf: node => data.labels[labels[node]]};
}

/// The cost of each node itself in the bins from `first` up to, not including, `end`.
function selfCosts(model, metric, first, end) {
  const costs = new Float64Array(model.parents.length);
  for (const bin of metric.bins.slice(first, end)) {
    for (let i = 0, node = 0; i < bin.length; i += 2) {
      node += bin[i];
      costs[node] += bin[i + 1];
    }
  }
  return costs;
}

/// What each line of each source file cost itself: a Map by line for each file.
function lineCosts(sources, costs) {
  const lines = sources.files.map(() => new Map());
  for (let i = 0, node = 0; i < sources.nodes.length; i += 3) {
    node += sources.nodes[i];
    const [file, line] = [lines[sources.nodes[i + 1]], sources.nodes[i + 2]];
    if (costs[node] > 0) {
      file.set(line, (file.get(line) || 0) + costs[node]);
    }
  }
  return lines;
}

function binTotals(metric) {
  return metric.bins.map(bin => {
    let sum = 0;
    for (let i = 1; i < bin.length; i += 2) {
      sum += bin[i];
    }
    return sum;
  });
}

/// The tree that is shown, whatever it costs: nodes are numbers, parents before their children. `view`: {threads, collapse}.
function structureOf(model, view) {
  const made = {labels: [], parents: [], depths: [], crossing: [], of: new Int32Array(model.parents.length), unsampled: 0};
  const known = new Map();
  const wide = model.data.labels.length + 2; // numbers of the two labels that only the page knows come behind
  const child = (parent, number, label) => {
    const key = parent * wide + number;
    let node = known.get(key);
    if (node === undefined) {
      node = made.labels.push(label) - 1;
      made.parents.push(parent);
      made.depths.push(parent < 0 ? 0 : made.depths[parent] + 1);
      made.crossing.push(false);
      known.set(key, node);
    }
    return node;
  };
  child(-1, 0, {name: "all", level: LEVEL.root});
  const entered = new Uint8Array(model.parents.length); // a border lies between the node and its parent
  for (let i = 1; i < model.parents.length; ++i) {
    const label = model.labelOf(i);
    const above = model.parents[i];
    let parent = made.of[above];
    if (label.kind === KIND.border) {
      made.of[i] = parent;
      entered[i] = 1;
      continue;
    }
    if (label.level === LEVEL.task && !view.threads && made.labels[parent].level === LEVEL.thread) {
      parent = made.parents[parent]; // a task counts by its coroutine, whatever thread ran it
    }
    let node;
    if (view.collapse && label.level === LEVEL.frame && label.origin !== ORIGIN.project && label.kind !== KIND.unreadable) {
      const collapsed = {name: "", level: LEVEL.frame, origin: label.origin, package: label.package, packages: new Set()};
      node = made.labels[parent].packages === undefined ? child(parent, wide - 2, collapsed) : parent;
      const shown = made.labels[node];
      shown.packages.add(label.origin === ORIGIN.standard ? "Python's library" : label.package);
      shown.name = "… " + [...shown.packages].join(", ");
    } else {
      node = child(parent, model.labels[i], label);
    }
    made.crossing[node] = made.crossing[node] || entered[above] === 1;
    made.of[i] = node;
  }
  made.unsampled = child(0, wide - 1, {name: "[not sampled]", level: LEVEL.thread});
  arrange(made);
  return made;
}

/// Children of each node, and which nodes have none of their own function above them.
function arrange(made) {
  const count = made.parents.length;
  made.firsts = new Int32Array(count + 1); // where the children of a node begin in `listed`
  for (let i = 1; i < count; ++i) {
    ++made.firsts[made.parents[i] + 1];
  }
  for (let i = 0; i < count; ++i) {
    made.firsts[i + 1] += made.firsts[i];
  }
  const next = made.firsts.slice();
  made.listed = new Int32Array(count);
  for (let i = 1; i < count; ++i) {
    made.listed[next[made.parents[i]]++] = i;
  }
  made.outermost = new Uint8Array(count);
  const open = new Map();
  const stack = [0];
  while (stack.length > 0) {
    const at = stack.pop();
    const node = at < 0 ? ~at : at; // a node that is left
    const key = made.labels[node].key;
    if (at < 0) {
      open.set(key, open.get(key) - 1);
      continue;
    }
    if (key !== undefined) {
      const depth = open.get(key) || 0;
      made.outermost[node] = depth === 0 ? 1 : 0;
      open.set(key, depth + 1);
      stack.push(~node);
    }
    for (let i = made.firsts[node]; i < made.firsts[node + 1]; ++i) {
      stack.push(made.listed[i]);
    }
  }
}

/// A structure with costs.
class Tree {
  constructor(structure, costs, unsampled) {
    this.structure = structure;
    this.self = new Float64Array(structure.parents.length);
    for (let i = 0; i < costs.length; ++i) {
      this.self[structure.of[i]] += costs[i];
    }
    this.self[structure.unsampled] = unsampled;
    this.totals = this.self.slice();
    for (let i = this.totals.length - 1; i > 0; --i) {
      this.totals[structure.parents[i]] += this.totals[i];
    }
    this.sorted = new Map();
  }

  get total() { return this.totals[0]; }
  label(node) { return this.structure.labels[node]; }
  parent(node) { return this.structure.parents[node]; }
  depth(node) { return this.structure.depths[node]; }
  crossing(node) { return this.structure.crossing[node]; }

  /// Those that cost anything, by cost.
  children(node) {
    let found = this.sorted.get(node);
    if (found === undefined) {
      const {firsts, listed} = this.structure;
      found = [...listed.subarray(firsts[node], firsts[node + 1])].filter(each => this.totals[each] > 0);
      found.sort((a, b) => this.totals[b] - this.totals[a]);
      this.sorted.set(node, found);
    }
    return found;
  }
}

function shownTree(model, costs, view, unsampled) {
  const name = `${view.threads ? "threads" : ""} ${view.collapse ? "collapse" : ""}`;
  model.structures[name] = model.structures[name] || structureOf(model, view);
  return new Tree(model.structures[name], costs, unsampled);
}

/// Functions with self and total cost. A function that is in a stack more than once counts once.
function functionCosts(tree) {
  const functions = new Map();
  for (let i = 1; i < tree.totals.length; ++i) {
    const label = tree.label(i);
    if (label.key === undefined || tree.totals[i] === 0) {
      continue;
    }
    let row = functions.get(label.key);
    if (row === undefined) {
      row = {label, self: 0, total: 0};
      functions.set(label.key, row);
    }
    row.self += tree.self[i];
    row.total += tree.structure.outermost[i] ? tree.totals[i] : 0;
  }
  return [...functions.values()];
}

/// Who calls a function, and what it calls, by cost.
function relationsOf(tree, key) {
  const callers = new Map();
  const callees = new Map();
  const add = (map, label, value) => {
    const name = label.key === undefined ? label.name : label.key;
    const row = map.get(name) || {label, total: 0};
    row.total += value;
    map.set(name, row);
  };
  for (let i = 1; i < tree.totals.length; ++i) {
    if (tree.totals[i] === 0) {
      continue;
    }
    const above = tree.label(tree.parent(i));
    if (tree.label(i).key === key && tree.structure.outermost[i]) { // a recursive call adds nothing to its caller's cost
      add(callers, above, tree.totals[i]);
    }
    if (above.key === key) {
      add(callees, tree.label(i), tree.totals[i]);
    }
  }
  const sorted = map => [...map.values()].sort((a, b) => b.total - a.total);
  return {callers: sorted(callers), callees: sorted(callees)};
}

/// The cost of all stacks with a match, each once, and the nodes that match.
function searchTree(tree, text) {
  const wanted = text.toLowerCase();
  const found = new Map(); // by label
  const matches = new Set();
  const inside = new Uint8Array(tree.totals.length);
  let total = 0;
  for (let i = 1; i < tree.totals.length; ++i) {
    const label = tree.label(i);
    if (!found.has(label)) {
      found.set(label, `${label.name} ${label.file || ""}`.toLowerCase().includes(wanted));
    }
    const outside = inside[tree.parent(i)] === 0;
    inside[i] = !outside || found.get(label) ? 1 : 0;
    if (found.get(label) && tree.totals[i] > 0) {
      matches.add(i);
      total += outside ? tree.totals[i] : 0;
    }
  }
  return {matches, total};
}

function costText(value, unit) {
  if (unit !== "ns") {
    return Math.round(value).toLocaleString("en") + " " + unit;
  }
  if (value === 0) {
    return "0 s";
  }
  const units = [["s", 1e9], ["ms", 1e6], ["µs", 1e3]];
  const [name, size] = units.find(each => value >= each[1]) || ["ns", 1];
  return (value / size).toPrecision(3) + " " + name;
}

function shareText(value, whole) {
  return whole > 0 ? (100 * value / whole).toFixed(1) + " %" : "–";
}
